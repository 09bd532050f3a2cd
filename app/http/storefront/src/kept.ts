// What the browser keeps for this shop; where it refuses to, as with all cookies blocked, it is kept as long as the page.
type Kept = Pick<Storage, 'getItem' | 'setItem'>;

export const keptByTab = storageOf('sessionStorage');
export const keptByBrowser = storageOf('localStorage');

function storageOf(name: 'sessionStorage' | 'localStorage'): Kept {
  try {
    return window[name];
  } catch {
    const values = new Map<string, string>();
    return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => void values.set(key, value) };
  }
}
