// Starts the storefront.
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import { createRoot } from 'react-dom/client';
import { App, preload } from './app.tsx';
import { moveToOwnHost } from './config.ts';
import { pageHere } from './router.tsx';
import { loadTexts } from './texts/texts.tsx';

const root = document.getElementById('shop');
if (root && !moveToOwnHost()) {
  preload(pageHere());
  await loadTexts();
  createRoot(root).render(<App />);
}
