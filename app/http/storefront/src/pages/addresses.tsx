// The addresses, as on an envelope: one of them is the default, and one each may be that for invoices and for deliveries.
import { type ReactNode, useState } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { AddressForm, type AddressFields } from '../components/address-form.tsx';
import { Data } from '../components/data.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { useSend } from '../gateway.tsx';
import { type ResultOf, graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';
import type { UserError } from 'customer-gateway-client';

const Addresses = graphql(`
  query Addresses {
    me {
      id
      addresses {
        id contactName companyName street streetNumber extraLine1 zipCode city state country contactPhone
        formatted tags isDefault defaultFor
      }
    }
  }
`);
const CreateAddress = graphql(`
  mutation CreateAddress($input: AddressInput!) {
    createAddress(input: $input) {
      customer { id }
      address { id }
      remarks { code field message }
      userErrors { code field message }
    }
  }
`);
const UpdateAddress = graphql(`
  mutation UpdateAddress($input: UpdateAddressInput!) {
    updateAddress(input: $input) {
      customer { id }
      address { id }
      remarks { code field message }
      userErrors { code field message }
    }
  }
`);
const DeleteAddress = graphql(`
  mutation DeleteAddress($input: DeleteAddressInput!) {
    deleteAddress(input: $input) { customer { id } deletedId userErrors { code field message } }
  }
`);
type Address = NonNullable<ResultOf<typeof Addresses>['me']>['addresses'][number];
interface Edited {
  id: string;
  /** What looks wrong in it, though it is saved. */
  remarks?: readonly UserError[];
}

export default function AddressesPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  const [edited, setEdited] = useState<Edited | null>(null);

  async function create(fields: AddressFields): Promise<readonly UserError[]> {
    const { address, remarks, userErrors } = (await send(CreateAddress, { input: fields as never })).createAddress;
    if (address) setEdited(remarks.length ? { id: address.id, remarks } : null);
    return userErrors;
  }
  return (
    <AccountPage name="addresses">
      <Data of={Addresses}>
        {({ me }) => (
          <>
            {me?.addresses.length === 0 && <p className="quiet">{t.address.none}</p>}
            <ul className="items">
              {me?.addresses.map((address) => (
                <li key={address.id}>
                  {edited?.id === address.id ? (
                    <Change address={address} edited={edited} onEdit={setEdited} />
                  ) : (
                    <Shown address={address} onEdit={() => setEdited({ id: address.id })} />
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
                run={create}
              />
            </section>
          </>
        )}
      </Data>
    </AccountPage>
  );
}

interface ChangeProps {
  address: Address;
  edited: Edited;
  onEdit: (edited: Edited | null) => void;
}

/** It stays open as long as something in it looks wrong, and says that it is saved all the same. */
function Change({ address, edited, onEdit }: ChangeProps): ReactNode {
  const t = useTexts();
  const send = useSend();
  const { id, defaultFor, tags: _tags, isDefault: _isDefault, ...texts } = address;
  const looksWrong = Boolean(edited.remarks?.length);
  return (
    <div className="what stack">
      {looksWrong && <Notice kind="good">{t.address.savedWithRemarks}</Notice>}
      <AddressForm
        address={{ texts, defaultFor }}
        remarks={edited.remarks}
        submit={t.save}
        label={t.address.change(address.street)}
        run={async (fields) => {
          const { remarks, userErrors } = (await send(UpdateAddress, { input: { id, ...fields } })).updateAddress;
          if (!userErrors.length) onEdit(remarks.length ? { id, remarks } : null);
          return userErrors;
        }}
      />
      <button type="button" className="link" onClick={() => onEdit(null)}>
        {looksWrong ? t.address.leaveIt : t.cancel}
      </button>
    </div>
  );
}

function Shown({ address, onEdit }: { address: Address; onEdit: () => void }): ReactNode {
  const t = useTexts();
  const send = useSend();
  const { id, isDefault, defaultFor, tags } = address;
  return (
    <>
      <div className="what">
        <p className="envelope">{address.formatted}</p>
        <p className="badges">
          {isDefault && <span className="badge good">{t.address.default}</span>}
          {defaultFor.map((purpose) => (
            <span key={purpose} className="badge good">{t.address.defaultFor[purpose]}</span>
          ))}
          {tags.map((tag) => (
            <span key={tag} className="badge">{tag}</span>
          ))}
        </p>
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
