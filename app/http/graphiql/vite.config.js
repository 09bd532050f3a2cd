// Bundles the page into dist/, which the gateway serves itself below /playground/.
import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: { target: 'es2022', chunkSizeWarningLimit: 8000, assetsInlineLimit: 0, sourcemap: false },
  worker: { format: 'es' },
});
