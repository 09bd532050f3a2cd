import type { ReactNode } from "react";
import { askFor } from "./session";

interface Who {
  me: { email: string } | null;
}

interface Where {
  sessions: { device: string | null; current: boolean }[];
}

/** The start page: greets the customer, and says which browser the shop takes this for. */
export default async function Page(): Promise<ReactNode> {
  const { me } = await askFor<Who>("/", "query Who { me { email } }");
  if (!me) return <p>Hello, guest.</p>;
  const { sessions } = await askFor<Where>("/", "query Where { sessions { device current } }");
  const device = sessions.find(({ current }) => current)?.device ?? "a browser";
  return <p>{`Hello, ${me.email}, with ${device}.`}</p>;
}
