import type { ReactNode } from "react";
import { askFor } from "./session";

interface Data {
  me: { firstName: string | null; email: string; sessions: { device: string | null; current: boolean }[] } | null;
}

/** The start page: greets the customer, and says from where. */
export default async function Page(): Promise<ReactNode> {
  const { me } = await askFor<Data>("/", "query Page { me { firstName email sessions { device current } } }");
  if (!me) return <p>Hello, guest.</p>;
  return (
    <p>
      Hello, {me.email}. You are here with {me.sessions.find(({ current }) => current)?.device}.
    </p>
  );
}
