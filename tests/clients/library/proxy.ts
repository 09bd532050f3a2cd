// Stands between a client and the gateway, and loses, holds or makes up answers as a network may.
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GATEWAY } from "../gateway.js";

/** What becomes of a request: `pass`; `lose`: done, but its answer is cut off; `hold`: never answered; or this answer. */
export type Fate = "pass" | "lose" | "hold" | { status: number; body: string; retryAfter?: number };

/** One request as it came. */
export interface Passed {
  operation: string;
  key: string | undefined;
  at: number;
}

/** A proxy that asks what is to become of each request. */
export class Proxy {
  readonly passed: Passed[] = [];
  fate: (operation: string, count: number) => Fate = () => "pass";
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.server.unref();
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/graphql`;
  }

  /** Begins to count anew. */
  next(fate: (operation: string, count: number) => Fate): void {
    this.passed.length = 0;
    this.fate = fate;
  }

  /** Returns the names of the operations that came, in their order. */
  get operations(): string[] {
    return this.passed.map(({ operation }) => operation);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const part of request) body += String(part);
    const { query = "", operationName } = JSON.parse(body) as { query?: string; operationName?: string };
    const operation = operationName ?? /\w+ (\w+)/.exec(query)?.[1] ?? "";
    const key = request.headers["idempotency-key"];
    this.passed.push({ operation, key: key === undefined ? undefined : String(key), at: performance.now() });
    const fate = this.fate(operation, this.operations.filter((each) => each === operation).length);
    if (fate === "hold") return;
    if (typeof fate === "object") {
      const { status, body: made, retryAfter } = fate;
      response.writeHead(status, retryAfter === undefined ? {} : { "Retry-After": retryAfter }).end(made);
      return;
    }
    const { authorization = "" } = request.headers;
    const headers = { "Content-Type": "application/json", ...(key && { "Idempotency-Key": String(key) }) };
    const answer = await fetch(GATEWAY, { method: "POST", headers: { ...headers, authorization }, body });
    const text = await answer.text();
    if (fate === "lose") {
      // The head and some of the body are on their way when the line breaks.
      response.writeHead(200, { "Content-Length": text.length }).write(text.slice(0, 5), () => response.destroy());
    } else {
      response.writeHead(answer.status, { "Content-Type": "application/json" }).end(text);
    }
  }
}
