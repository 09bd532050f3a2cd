// Ways to pay. A payment provider would take the card; here one is pretended, which gives a token for a test card.
import type { ReactNode } from 'react';
import { AccountPage } from '../components/account-page.tsx';
import { Data } from '../components/data.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { useSend } from '../gateway.tsx';
import { graphql } from '../graphql.ts';
import { useTexts } from '../texts/texts.tsx';

const Instruments = graphql(`
  query PaymentInstruments {
    me { id paymentInstruments { id brand last4 expiryMonth expiryYear holderName isDefault } }
  }
`);
const AddInstrument = graphql(`
  mutation AddPaymentInstrument($input: AddPaymentInstrumentInput!) {
    addPaymentInstrument(input: $input) { customer { id } paymentInstrument { id } userErrors { code field message } }
  }
`);
const UpdateInstrument = graphql(`
  mutation UpdatePaymentInstrument($input: UpdatePaymentInstrumentInput!) {
    updatePaymentInstrument(input: $input) { customer { id } paymentInstrument { id } userErrors { code field message } }
  }
`);
const DeleteInstrument = graphql(`
  mutation DeletePaymentInstrument($input: DeletePaymentInstrumentInput!) {
    deletePaymentInstrument(input: $input) { customer { id } deletedId userErrors { code field message } }
  }
`);
const CARDS = { visa: '4242', mastercard: '4444', amex: '0005' } as const;

export default function PaymentPage(): ReactNode {
  const t = useTexts();
  const send = useSend();
  return (
    <AccountPage name="payment">
      <Data of={Instruments}>
        {({ me }) => (
          <>
            {me?.paymentInstruments.length === 0 && <p className="quiet">{t.payment.none}</p>}
            <ul className="items">
              {me?.paymentInstruments.map(({ id, brand, last4, expiryMonth, expiryYear, isDefault }) => (
                <li key={id}>
                  <div className="what">
                    <h2>
                      {brand} ···· {last4}
                    </h2>
                    <p className="quiet small">{t.payment.until(expiryMonth ?? 0, expiryYear ?? 0)}</p>
                    {isDefault && <span className="badge good">{t.address.default}</span>}
                  </div>
                  <div className="row">
                    {!isDefault && (
                      <Form
                        kind="plain slim"
                        submit={t.address.makeDefault}
                        label={t.payment.makeDefault(last4 ?? '')}
                        run={async () =>
                          (await send(UpdateInstrument, { input: { id, isDefault: true } })).updatePaymentInstrument
                            .userErrors
                        }
                      />
                    )}
                    <Form
                      kind="plain slim"
                      submit={t.remove}
                      label={t.payment.remove(last4 ?? '')}
                      run={async () => (await send(DeleteInstrument, { input: { id } })).deletePaymentInstrument.userErrors}
                    />
                  </div>
                </li>
              ))}
            </ul>
            <section className="card">
              <h2>{t.payment.new}</h2>
              <Notice>{t.payment.pretended}</Notice>
              <Form
                submit={t.add}
                label={t.payment.new}
                run={async ({ brand = 'visa', holderName = '' }) => {
                  const input = {
                    token: pretendedToken(),
                    brand,
                    last4: CARDS[brand as keyof typeof CARDS],
                    expiryMonth: 12,
                    expiryYear: new Date().getFullYear() + 3,
                    holderName: holderName || null,
                  };
                  return (await send(AddInstrument, { input })).addPaymentInstrument.userErrors;
                }}
              >
                <div className="pair">
                  <Field
                    label={t.payment.card}
                    name="brand"
                    options={Object.entries(CARDS).map(([brand, last4]) => [brand, `${brand} ···· ${last4}`])}
                  />
                  <Field label={t.payment.holder} name="holderName" autoComplete="cc-name" required={false} />
                </div>
              </Form>
            </section>
          </>
        )}
      </Data>
    </AccountPage>
  );
}

/** What a provider's own field would answer instead of the card. */
function pretendedToken(): string {
  return `pretended_${[...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
