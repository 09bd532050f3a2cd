// The path of PUBLIC_URL, which a proxy before the gateway takes off: our own links begin with it.
export const base = document.documentElement.dataset.base ?? '';
