import { readFile, rename, writeFile } from "node:fs/promises";
import { Mutex } from "async-mutex";
import { TokenKeeper, type Tokens, type TokenStore } from "./tokens.js";

/** A file stands for the Keychain or the Keystore here. A new one takes the old one's place whole, or not at all. */
export class FileStore implements TokenStore {
  constructor(private readonly path: string) {}

  async read(): Promise<Tokens | null> {
    const text = await readFile(this.path, "utf8").catch(() => null); // there is none at the first start
    return text === null ? null : (JSON.parse(text) as Tokens);
  }

  async write(tokens: Tokens): Promise<void> {
    await writeFile(`${this.path}.new`, JSON.stringify(tokens), { mode: 0o600 });
    await rename(`${this.path}.new`, this.path);
  }
}

/** The one keeper of the app. Every call asks it for the token, and waits while another one refreshes. */
export function appTokens(url: string, clientId: string, store: TokenStore): TokenKeeper {
  const mutex = new Mutex();
  return new TokenKeeper(url, clientId, store, (work) => mutex.runExclusive(work));
}
