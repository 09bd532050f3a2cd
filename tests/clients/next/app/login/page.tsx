import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import type { ReactNode } from "react";
import { TOKENS, type Tokens, keep } from "../../session";
import { askFor } from "../session";

const LOGIN = `mutation Login($input: LoginInput!) { login(input: $input) { ${TOKENS} } }`;

interface Data {
  login: { tokens: Tokens | null; userErrors: { message: string }[] };
}

/** Logs in on the server; the browser never sees a token. Next checks that the form comes from this site. */
async function logIn(form: FormData): Promise<void> {
  "use server";
  const input = { email: String(form.get("email")), password: String(form.get("password")) };
  const { login } = await askFor<Data>("/login", LOGIN, { input });
  if (!login.tokens) redirect(`/login?fault=${encodeURIComponent(login.userErrors[0]?.message ?? "")}`);
  const answer = await cookies();
  keep((...cookie) => answer.set(...cookie), login.tokens);
  redirect("/");
}

export default async function Page({ searchParams }: PageProps<"/login">): Promise<ReactNode> {
  const { fault } = await searchParams;
  return (
    <form action={logIn}>
      <p>{fault}</p>
      <input name="email" type="email" required autoComplete="username" />
      <input name="password" type="password" required autoComplete="current-password" />
      <button type="submit">Log in</button>
    </form>
  );
}
