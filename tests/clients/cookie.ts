import type { Lock } from "./tokens.js";

const ANSWER = "{ tokens { accessToken } userErrors { code message } }";
const BEGIN = `mutation AnonymousLogin($input: AnonymousLoginInput!) { answer: anonymousLogin(input: $input) ${ANSWER} }`;
const REFRESH = `mutation Refresh($input: RefreshInput!) { answer: refresh(input: $input) ${ANSWER} }`;
const LOGOUT = "mutation Logout { logout { loggedOut } }";
// What says that nobody is here. Anything else says that the same call may be made again.
const OVER = new Set(["TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_REUSED"]);

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}
interface Begun {
  answer: { tokens: { accessToken: string } | null; userErrors: { code: string; message: string }[] };
}

/** The session of a page whose refresh token is in a cookie. The access token is in memory, and so ends with the page. */
export class CookieSession {
  private token: string | null = null;

  constructor(
    private readonly url: string,
    private readonly clientId: string,
    private readonly lock: Lock = (work) => navigator.locks.request(`gateway ${clientId}`, work),
  ) {}

  /** Returns the data of an answer; goes on with the session of the cookie, or begins one, without being asked. */
  async ask<Data>(query: string, variables: object = {}): Promise<Data> {
    const token = this.token ?? (await this.renew(null));
    const answer = await this.send<Data>(query, variables, token);
    if (!isUnauthenticated(answer)) return dataOf(answer);
    return dataOf(await this.send<Data>(query, variables, await this.renew(token)));
  }

  /** Takes the access token that `login`, `socialLogin` or `changePassword` has answered; the cookie is there already. */
  put(accessToken: string): void {
    this.token = accessToken;
  }

  /** Ends the session, by the cookie alone, so that it does not matter whether the access token has expired. */
  async logout(): Promise<void> {
    const answer = await this.send(LOGOUT, {}, null);
    this.token = null;
    if (!isUnauthenticated(answer)) dataOf(answer); // else it had ended before
  }

  /** One tab at a time: the cookie is that of all tabs, and a second one finds what the first has begun. */
  private renew(refused: string | null): Promise<string> {
    return this.lock(async () => {
      if (this.token && this.token !== refused) return this.token; // another call has done it meanwhile
      this.token = (await this.begin(REFRESH, {})) ?? (await this.begin(BEGIN, { clientId: this.clientId }));
      if (!this.token) throw new Error("A session that has just begun is over.");
      return this.token;
    });
  }

  private async begin(query: string, input: object): Promise<string | null> {
    const { answer } = dataOf(await this.send<Begun>(query, { input }, null));
    const code = answer.userErrors[0]?.code ?? "";
    if (!answer.tokens && !OVER.has(code)) throw new Error(answer.userErrors[0]?.message);
    return answer.tokens?.accessToken ?? null;
  }

  private async send<Data>(query: string, variables: object, token: string | null): Promise<Answer<Data>> {
    const response = await fetch(this.url, {
      method: "POST",
      credentials: "include", // or the browser neither keeps the cookie nor sends it
      headers: {
        "Content-Type": "application/json",
        "Gateway-Client": this.clientId,
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return response.json();
  }
}

function isUnauthenticated({ errors }: Answer<unknown>): boolean {
  return errors?.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED") ?? false;
}

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  if (!data || errors) throw new Error(errors?.[0]?.message); // busy, or too many calls: ask again later
  return data;
}
