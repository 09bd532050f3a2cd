// Starts the storefront.
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { moveToOwnHost } from './config.ts';
import { loadTexts } from './texts/texts.tsx';

const root = document.getElementById('shop');
if (root && !moveToOwnHost()) {
  await loadTexts();
  createRoot(root).render(<App />);
}
