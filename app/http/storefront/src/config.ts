// What the gateway has written into the page: where it is, and whose storefront this is.

const { dataset } = document.documentElement;

export const config = {
  /** The path of the gateway: "" or what a proxy takes off. */
  base: dataset['base'] ?? '',
  /** The path of the shop's home page, without the slash at its end. */
  home: dataset['home'] ?? '',
  clientId: dataset['client'] ?? '',
  site: dataset['site'] ?? '',
  siteUrl: dataset['siteUrl'] ?? '',
  siteLanguage: dataset['siteLanguage'] ?? 'en',
  country: dataset['siteCountry'] ?? '',
} as const;

/** Go where passkeys work and mailed links lead: to a browser `127.0.0.1` is another site than `localhost`. */
export function moveToOwnHost(): boolean {
  const own = new URL(config.siteUrl, location.href);
  const isSameMachine = own.hostname === 'localhost' && /^(127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);
  if (!isSameMachine || own.port !== location.port) return false;
  location.replace(location.href.replace(location.host, own.host));
  return true;
}
