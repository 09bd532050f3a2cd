// Changes a customer's belongings, and prints after each change what the cache shows of them without asking anybody.
import { Client, fetchExchange, gql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";

const { GATEWAY_URL, CLIENT_ID } = process.env;
let token;

const cache = cacheExchange({
  keys: {
    // The same person acts in several sessions, each time for a reason of its own.
    Actor: () => null,
    // A company is the same for all who buy for it; what the customer is there is not.
    LegalEntity: (entity) => entity.contactAssignmentId ?? null,
    // These have no id: they are parts of the customer.
    B2BDetails: () => null,
    Metadata: () => null,
    UserError: () => null,
  },
});
const client = new Client({
  url: `${GATEWAY_URL}/graphql`,
  preferGetMethod: false,
  exchanges: [cache, fetchExchange],
  fetchOptions: () => ({ headers: token ? { Authorization: `Bearer ${token}` } : {} }),
});

const BELONGINGS = `
  id firstName
  addresses { id city tags isDefault }
  paymentInstruments { id brand isDefault }
  productLists { id name items { id quantity } }
`;
const ME = gql`{ me { ${BELONGINGS} } }`;

async function change(name, type, input, result = "") {
  const document = gql(`mutation ($input: ${type}!) {
    ${name}(input: $input) { ${result} customer { ${BELONGINGS} } userErrors { code field message } }
  }`);
  const { data, error } = await client.mutation(document, { input });
  const payload = data?.[name];
  if (error || payload.userErrors.length > 0) throw error ?? new Error(JSON.stringify(payload.userErrors));
  return payload;
}

async function shown() {
  const { data } = await client.query(ME, {}, { requestPolicy: "cache-only" }).toPromise();
  return data?.me;
}

const steps = [];
async function note(step) {
  steps.push({ step, me: await shown() });
}

async function logIn() {
  const credentials = { email: "ada@example.com", password: "violet-harbour-42" };
  const begin = gql`mutation ($input: AnonymousLoginInput!) { anonymousLogin(input: $input) { tokens { accessToken } } }`;
  const signup = gql`mutation ($input: SignupInput!) { signup(input: $input) { customerId } }`;
  const login = gql`mutation ($input: LoginInput!) { login(input: $input) { tokens { accessToken } } }`;
  token = (await client.mutation(begin, { input: { clientId: CLIENT_ID } })).data.anonymousLogin.tokens.accessToken;
  await client.mutation(signup, { input: credentials });
  token = (await client.mutation(login, { input: credentials })).data.login.tokens.accessToken;
}

const home = { contactName: "Ada", street: "Linden 1", city: "Berlin", country: "DE" };
await logIn();
await client.query(ME, {}, { requestPolicy: "network-only" }).toPromise();
await note("begun");

const first = (await change("createAddress", "AddressInput", home, "address { id }")).address.id;
await note("first address");
const away = { ...home, city: "Paris", country: "FR", isDefault: true };
const second = (await change("createAddress", "AddressInput", away, "address { id }")).address.id;
await note("second address is the default");
await change("updateAddress", "UpdateAddressInput", { id: first, isDefault: true }, "address { id isDefault }");
await note("first address is the default again");
await change("addAddressTags", "AddressTagsInput", { addressId: first, tags: ["billing"] });
await note("first address has a tag");
await change("deleteAddress", "DeleteAddressInput", { id: first }, "deletedId");
await note("first address is gone");

const card = { token: "pm_1", brand: "visa" };
await change("addPaymentInstrument", "AddPaymentInstrumentInput", card);
const other = { token: "pm_2", brand: "amex", isDefault: true };
await change("addPaymentInstrument", "AddPaymentInstrumentInput", other);
await note("second instrument is the default");

const list = await change("createProductList", "CreateProductListInput", { type: "WISH_LIST", name: "Wishes" }, "productList { id }");
const wish = { listId: list.productList.id, productId: "25502038M", quantity: 2 };
const item = (await change("addProductListItem", "AddProductListItemInput", wish, "item { id }")).item.id;
await note("an item is on the list");
await change("deleteProductListItem", "DeleteProductListItemInput", { id: item }, "deletedId");
await note("no item is on the list");
await change("updateMe", "UpdateMeInput", { firstName: "Augusta" });
await note("named");
console.log(JSON.stringify({ steps, second }));
