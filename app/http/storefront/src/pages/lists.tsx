// Wish lists and others, with what is on them.
import type { ReactNode } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { useSend } from '../gateway.tsx';
import { type ResultOf, graphql } from '../graphql.ts';
import { PRODUCTS, type ProductId } from '../products.tsx';
import { useTexts } from '../texts/texts.tsx';

const Lists = graphql(`
  query Lists {
    me { id productLists { id type name isPublic items { id productId quantity } } }
  }
`);
const CreateList = graphql(`
  mutation CreateProductList($input: CreateProductListInput!) {
    createProductList(input: $input) { customer { id } productList { id } userErrors { code field message } }
  }
`);
const DeleteList = graphql(`
  mutation DeleteProductList($input: DeleteProductListInput!) {
    deleteProductList(input: $input) { customer { id } deletedId userErrors { code field message } }
  }
`);
const AddItem = graphql(`
  mutation AddProductListItem($input: AddProductListItemInput!) {
    addProductListItem(input: $input) { customer { id } item { id } userErrors { code field message } }
  }
`);
const DeleteItem = graphql(`
  mutation DeleteProductListItem($input: DeleteProductListItemInput!) {
    deleteProductListItem(input: $input) { customer { id } deletedId userErrors { code field message } }
  }
`);
const TYPES = ['WISH_LIST', 'SHOPPING_LIST', 'GIFT_REGISTRY'] as const;
type List = NonNullable<ResultOf<typeof Lists>['me']>['productLists'][number];

export default function ListsPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  return (
    <AccountPage name="lists">
      <Data of={Lists}>
        {({ me }) => (
          <>
            {me?.productLists.length === 0 && <p className="quiet">{t.lists.none}</p>}
            {me?.productLists.map((list) => <OneList key={list.id} list={list} />)}
            <section className="card">
              <h2>{t.lists.new}</h2>
              <Form
                submit={t.add}
                label={t.lists.new}
                clears
                run={async ({ name = '', type, isPublic }) => {
                  const input = { name, type: type as List['type'], isPublic: isPublic === 'on' };
                  return (await send(CreateList, { input })).createProductList.userErrors;
                }}
              >
                <div className="pair">
                  <Field label={t.fields.name} name="name" autoComplete="off" required />
                  <Field label={t.lists.type} name="type" options={TYPES.map((type) => [type, t.lists.types[type]])} />
                </div>
                <Field label={t.lists.public} name="isPublic" type="checkbox" hint={t.lists.publicHint} />
              </Form>
            </section>
          </>
        )}
      </Data>
    </AccountPage>
  );
}

function OneList({ list }: { list: List }): ReactNode {
  const t = useTexts();
  const send = useSend();
  const nameOf = (id: string): string => t.products[id as ProductId] ?? id;
  return (
    <section className="card">
      <div className="row apart">
        <h2>{list.name}</h2>
        <span className="badge">{t.lists.types[list.type as (typeof TYPES)[number]] ?? list.type}</span>
      </div>
      {list.items.length > 0 && (
        <ul className="items">
          {list.items.map(({ id, productId, quantity }) => (
            <li key={id}>
              <span className="what">
                {quantity} × {nameOf(productId)}
              </span>
              <Form
                kind="plain slim"
                submit={t.remove}
                label={t.lists.removeItem(nameOf(productId))}
                run={async () => (await send(DeleteItem, { input: { id } })).deleteProductListItem.userErrors}
              />
            </li>
          ))}
        </ul>
      )}
      <Form
        kind="plain"
        submit={t.lists.addItem}
        label={t.lists.addTo(list.name)}
        run={async ({ productId = '' }) => {
          const input = { listId: list.id, productId };
          return (await send(AddItem, { input })).addProductListItem.userErrors;
        }}
      >
        <Field
          label={t.lists.product}
          name="productId"
          options={PRODUCTS.map(({ id }) => [id, t.products[id]])}
        />
      </Form>
      <Form
        kind="danger"
        submit={t.lists.remove}
        label={t.lists.removeList(list.name)}
        run={async () => (await send(DeleteList, { input: { id: list.id } })).deleteProductList.userErrors}
      />
    </section>
  );
}
