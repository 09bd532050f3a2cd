// What takes the place of a part of the page that could not be loaded: there is no network, or the shop was built anew meanwhile.
import { Component, type ReactNode } from 'react';
import { useTexts } from '../texts/texts.tsx';
import { Failure } from './failure.tsx';

interface State {
  failed: boolean;
}

export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { failed: false };

  static getDerivedStateFromError(): State {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <NotLoaded /> : this.props.children;
  }
}

function NotLoaded(): ReactNode {
  const t = useTexts();
  return <Failure>{t.notLoaded}</Failure>;
}
