// Bundles the storefront into dist/, which the gateway serves itself below /storefront/.
import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  resolve: { alias: { 'customer-gateway-client': new URL('./client/src/index.ts', import.meta.url).pathname } },
  build: { target: 'es2023', assetsInlineLimit: 0, sourcemap: false, modulePreload: { polyfill: false } },
});
