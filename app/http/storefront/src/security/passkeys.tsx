// The customer's passkeys: make one on this device, rename it, remove it.
import { type ReactNode, useState } from 'react';
import { useClient } from 'urql';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { gateway, useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useMoment, useTexts } from '../texts/texts.tsx';
import { reread } from '../rereading.ts';

const RenamePasskey = graphql(`
  mutation RenamePasskey($input: RenamePasskeyInput!) {
    renamePasskey(input: $input) { customer { id } passkey { id name } userErrors { code field message } }
  }
`);
const DeletePasskey = graphql(`
  mutation DeletePasskey($input: DeletePasskeyInput!) {
    deletePasskey(input: $input) { customer { id } deletedId userErrors { code field message } }
  }
`);

interface Passkey {
  id: string;
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
}

export function Passkeys({ passkeys }: { passkeys: readonly Passkey[] }): ReactNode {
  const t = useTexts();
  const client = useClient();
  return (
    <section className="card">
      <h2>{t.passkey.title}</h2>
      <p className="quiet">{t.passkey.lead}</p>
      {passkeys.length > 0 && (
        <ul className="items">
          {passkeys.map((passkey) => (
            <OnePasskey key={passkey.id} passkey={passkey} />
          ))}
        </ul>
      )}
      <Form
        submit={t.passkey.make}
        label={t.passkey.make}
        done={t.passkey.made}
        run={async () => {
          await gateway.registerPasskey();
          reread(client, 'Customer');
        }}
      />
    </section>
  );
}

function OnePasskey({ passkey: { id, name, createdAt, lastUsedAt } }: { passkey: Passkey }): ReactNode {
  const t = useTexts();
  const moment = useMoment();
  const send = useSend();
  const [isRenaming, setRenaming] = useState(false);
  return (
    <li>
      <div className="what">
        {isRenaming ? (
          <Form
            kind="plain slim"
            submit={t.save}
            label={t.passkey.rename(name)}
            run={async ({ name: chosen = '' }) => {
              const { userErrors } = (await send(RenamePasskey, { input: { id, name: chosen } })).renamePasskey;
              if (!userErrors.length) setRenaming(false);
              return userErrors;
            }}
          >
            <Field label={t.fields.name} name="name" defaultValue={name} autoComplete="off" required />
          </Form>
        ) : (
          <>
            <h3>{name}</h3>
            <p className="quiet small">{t.passkey.since(moment(createdAt), lastUsedAt ? moment(lastUsedAt) : null)}</p>
          </>
        )}
      </div>
      <div className="row">
        <button
          type="button"
          className="button plain slim"
          aria-label={t.passkey.rename(name)}
          onClick={() => setRenaming(!isRenaming)}
        >
          {isRenaming ? t.cancel : t.edit}
        </button>
        <Form
          kind="plain slim"
          submit={t.remove}
          label={t.passkey.remove(name)}
          run={async () => (await send(DeletePasskey, { input: { id } })).deletePasskey.userErrors}
        />
      </div>
    </li>
  );
}
