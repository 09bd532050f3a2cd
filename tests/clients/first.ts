import { createClient } from "customer-gateway-client";

const client = createClient({ url: "http://127.0.0.1:8000/graphql", clientId: "open-storefront" });

client.on("sessionEnded", ({ reason }) => console.log("You are logged out:", reason));

const login = await client.login({ email: "ada@example.com", password: "violet-harbour-42" });
if (login.state === "refused") console.log(login.errors[0]?.message);

const { me } = await client.request<{ me: { email: string } | null }>("{ me { email } }");
console.log(me ? `Hello, ${me.email}.` : "Hello, guest.");
