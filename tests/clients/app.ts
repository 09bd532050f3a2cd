import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { type Client, type Storage, createClient } from "customer-gateway-client";

/** Files stand for the Keychain or the Keystore here. A new one takes the old one's place whole, or not at all. */
export class FileStorage implements Storage {
  constructor(private readonly folder: string) {}

  async get(key: string): Promise<string | undefined> {
    return readFile(this.path(key), "utf8").catch(() => undefined); // there is none at the first start
  }

  async set(key: string, value: string | undefined): Promise<void> {
    const path = this.path(key);
    if (value === undefined) return rm(path, { force: true });
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, value, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  private path(key: string): string {
    return `${this.folder}/${encodeURIComponent(key)}`;
  }
}

/** The one client of the app: every call goes through it, and waits while another one refreshes. */
export function appClient(url: string, clientId: string, folder: string): Client {
  return createClient({ url, clientId, storage: new FileStorage(folder) });
}
