// The addresses: one of them is the default.
import { type ReactNode, useState } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { AddressForm, type AddressValues } from '../components/address-form.tsx';
import { Data } from '../components/data.tsx';
import { Form } from '../components/form.tsx';
import { useSend } from '../gateway.tsx';
import { type ResultOf, graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';

const Addresses = graphql(`
  query Addresses {
    me {
      id
      addresses {
        id contactName companyName street streetNumber extraLine1 zipCode city state country contactPhone tags isDefault
      }
    }
  }
`);
const CreateAddress = graphql(`
  mutation CreateAddress($input: AddressInput!) {
    createAddress(input: $input) { customer { id } address { id } userErrors { code field message } }
  }
`);
const UpdateAddress = graphql(`
  mutation UpdateAddress($input: UpdateAddressInput!) {
    updateAddress(input: $input) { customer { id } address { id } userErrors { code field message } }
  }
`);
const DeleteAddress = graphql(`
  mutation DeleteAddress($input: DeleteAddressInput!) {
    deleteAddress(input: $input) { customer { id } deletedId userErrors { code field message } }
  }
`);
type Address = NonNullable<ResultOf<typeof Addresses>['me']>['addresses'][number];

export default function AddressesPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const [edited, setEdited] = useState<string | null>(null);
  return (
    <AccountPage name="addresses">
      <Data of={Addresses}>
        {({ me }) => (
          <>
            {me?.addresses.length === 0 && <p className="quiet">{t.address.none}</p>}
            <ul className="items">
              {me?.addresses.map((address) => (
                <li key={address.id}>
                  {edited === address.id ? (
                    <div className="what stack">
                      <AddressForm
                        address={address as unknown as AddressValues}
                        submit={t.save}
                        label={t.address.change(address.street)}
                        run={async (fields) => {
                          const input = { id: address.id, ...fields };
                          const { userErrors } = (await send(UpdateAddress, { input })).updateAddress;
                          if (!userErrors.length) setEdited(null);
                          return userErrors;
                        }}
                      />
                      <button type="button" className="link" onClick={() => setEdited(null)}>{t.cancel}</button>
                    </div>
                  ) : (
                    <Shown address={address} onEdit={() => setEdited(address.id)} />
                  )}
                </li>
              ))}
            </ul>
            <section className="card">
              <h2>{t.address.new}</h2>
              <AddressForm
                key={me?.addresses.length}
                submit={t.add}
                label={t.address.new}
                run={async (input) =>
                  (await send(CreateAddress, { input: input as never })).createAddress.userErrors
                }
              />
            </section>
          </>
        )}
      </Data>
    </AccountPage>
  );
}

function Shown({ address, onEdit }: { address: Address; onEdit: () => void }): ReactNode {
  const t = useTexts();
  const send = useSend();
  const { id, isDefault, tags } = address;
  return (
    <>
      <div className="what">
        <h2>{address.contactName}</h2>
        <p className="quiet">
          {[
            [address.street, address.streetNumber].filter(Boolean).join(' '),
            address.extraLine1,
            [address.zipCode, address.city].filter(Boolean).join(' '),
            [address.state, address.country].filter(Boolean).join(', '),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
        {isDefault && <span className="badge good">{t.address.default}</span>}{' '}
        {tags.map((tag) => (
          <span key={tag} className="badge">{tag}</span>
        ))}
      </div>
      <div className="row">
        {!isDefault && (
          <Form
            kind="plain slim"
            submit={t.address.makeDefault}
            run={async () =>
              (await send(UpdateAddress, { input: { id, isDefault: true } })).updateAddress.userErrors
            }
          />
        )}
        <button type="button" className="button plain slim" onClick={onEdit} aria-label={t.address.change(address.street)}>
          {t.edit}
        </button>
        <Form
          kind="plain slim"
          submit={t.remove}
          label={t.address.remove(address.street)}
          run={async () => (await send(DeleteAddress, { input: { id } })).deleteAddress.userErrors}
        />
      </div>
    </>
  );
}
