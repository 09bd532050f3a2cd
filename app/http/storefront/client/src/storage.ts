// Where sessions are kept: IndexedDB, which all tabs of a page share, or the memory of this program.
import type { Storage } from "./options.js";

/** Keeps values as long as the program runs. */
export function memoryStorage(): Storage {
  const values = new Map<string, string | undefined>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
  };
}

/**
 * Keeps values in IndexedDB: what one tab has written the next one reads, which `localStorage` does not promise.
 * A browser that refuses IndexedDB gets `localStorage`, and one that refuses both keeps them as long as the page.
 */
export function browserStorage(): Storage {
  const opened = indexed()
    .catch(() => webStorage(localStorage))
    .catch(memoryStorage);
  return {
    get: async (key) => (await opened).get(key),
    set: async (key, value) => (await opened).set(key, value),
  };
}

/** Keeps values in `sessionStorage` or `localStorage`. */
export function webStorage(values: globalThis.Storage): Storage {
  return {
    get: async (key) => values.getItem(key) ?? undefined,
    set: async (key, value) => (value ? values.setItem(key, value) : values.removeItem(key)),
  };
}

async function indexed(): Promise<Storage> {
  const opening = indexedDB.open("customer-gateway");
  opening.onupgradeneeded = () => opening.result.createObjectStore("values");
  const database = await answerOf(opening);
  const store = (mode: IDBTransactionMode): IDBObjectStore => database.transaction("values", mode).objectStore("values");
  return {
    get: (key) => answerOf(store("readonly").get(key)),
    // Not before it is written: the old tokens are gone.
    set: (key, value) => answerOf(store("readwrite").put(value, key)) as Promise<unknown> as Promise<void>,
  };
}

function answerOf<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const { transaction } = request;
    if (transaction) {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    } else {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }
  });
}
