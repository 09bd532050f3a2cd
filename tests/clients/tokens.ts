// Keeps the tokens of one session: begins without being asked, and refreshes once, however many calls want to.

/** What has to be kept; `refreshToken` is null on behalf of a customer. */
export interface Tokens {
  accessToken: string;
  refreshToken: string | null;
}

/** Where the tokens are: IndexedDB, the Keychain, a file that the Keystore encrypts. */
export interface TokenStore {
  read(): Promise<Tokens | null>;
  write(tokens: Tokens): Promise<void>;
}

/** Runs one piece of work at a time: a mutex in an app, Web Locks between the tabs of a browser. */
export type Lock = <Result>(work: () => Promise<Result>) => Promise<Result>;

const ANSWER = "{ tokens { accessToken refreshToken } userErrors { code message } }";
const BEGIN = `mutation AnonymousLogin($input: AnonymousLoginInput!) { answer: anonymousLogin(input: $input) ${ANSWER} }`;
const REFRESH = `mutation Refresh($input: RefreshInput!) { answer: refresh(input: $input) ${ANSWER} }`;
// What says that the session is over. Anything else says that the same token may be sent again.
const OVER = new Set(["TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_REUSED"]);

interface Answer {
  data?: { answer: { tokens: Tokens | null; userErrors: { code: string; message: string }[] } } | null;
  errors?: { message: string }[];
}

export class TokenKeeper {
  constructor(
    private readonly url: string,
    private readonly clientId: string,
    private readonly store: TokenStore,
    private readonly lock: Lock,
  ) {}

  /** Returns an access token; `refused` is one that the gateway has just answered with UNAUTHENTICATED. */
  async accessToken(refused?: string): Promise<string> {
    const kept = await this.store.read();
    if (kept && kept.accessToken !== refused) return kept.accessToken;
    return this.lock(async () => {
      const now = await this.store.read();
      if (now && now.accessToken !== refused) return now.accessToken; // another call has done it meanwhile
      const tokens = (now?.refreshToken && (await this.refresh(now.refreshToken))) || (await this.begin());
      await this.store.write(tokens); // before anything uses them: the old ones are gone
      return tokens.accessToken;
    });
  }

  /** Takes the tokens that `login`, `socialLogin` or `changePassword` has answered. */
  put(tokens: Tokens): Promise<void> {
    return this.lock(() => this.store.write(tokens));
  }

  private async begin(): Promise<Tokens> {
    const { tokens, userErrors } = await this.ask(BEGIN, { clientId: this.clientId });
    if (!tokens) throw new Error(userErrors[0]?.message);
    return tokens;
  }

  /** Returns null when the session is over: show the person that nobody is logged in. */
  private async refresh(refreshToken: string): Promise<Tokens | null> {
    const { tokens, userErrors } = await this.ask(REFRESH, { refreshToken });
    if (!tokens && !userErrors.some(({ code }) => OVER.has(code))) throw new Error(userErrors[0]?.message);
    return tokens;
  }

  private async ask(query: string, input: object): Promise<NonNullable<Answer["data"]>["answer"]> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data, errors } = (await response.json()) as Answer;
    if (!data) throw new Error(errors?.[0]?.message); // busy, or too many calls: the same token may be sent again
    return data.answer;
  }
}
