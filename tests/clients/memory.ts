// Tokens in memory, for the programs of the tests.
import type { Tokens, TokenStore } from "./tokens.js";

export class MemoryStore implements TokenStore {
  tokens: Tokens | null = null;

  async read(): Promise<Tokens | null> {
    return this.tokens;
  }

  async write(tokens: Tokens): Promise<void> {
    this.tokens = tokens;
  }
}
