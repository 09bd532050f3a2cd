"""New customers by a mailed code: whoever proves an address that nobody has gets an account with it."""

from __future__ import annotations

from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.sign_in import Factor, SignInMethod
from app.domain.tenants import SignupMode
from app.domain.topics import Topic
from app.models.credentials import Credential, Maker
from app.models.sign_in_tickets import SignInTicket
from app.services.accounts.invitations import tell_of_registration
from app.services.accounts.new_customers import add_customer
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.accounts.ways_back import tell_of_way_back
from app.services.audit import record
from app.services.limits import may_mail
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail
from app.services.sessions.login_codes import LOGIN_CODE_MAIL
from app.services.sessions.tickets import invalid_ticket
from app.services.sign_in.attempts import Proved
from app.services.unit_of_work import UnitOfWork

# What a ticket's `data` says of the customer that is made when its code comes back.
SIGNUP = "signup"


async def offer_signup(uow: UnitOfWork, email: EmailAddress, ticket_hash: bytes, code_hash: bytes, code: str) -> bool:
    """Mail a code that makes a customer of this address, which nobody has; False where the shop does not want that."""
    if not uow.tenant.login_code_signup:
        return False
    if not await may_mail(uow, email.address, signup=True):
        return True
    customer_id = uow.tools.random.new_id()
    if await uow.credentials.find_way_back(email.key, customer_id, uow.now) is not None:
        await tell_of_way_back(uow, email)
    elif await uow.sign_in_tickets.note_sent(ticket_hash, code_hash, uow.now, data={SIGNUP: customer_id}):
        await send_mail(uow, LOGIN_CODE_MAIL, customer_id, email.address, code=code)
    return True


async def sign_up_by_code(uow: UnitOfWork, ticket: SignInTicket) -> Proved:
    """Make the customer of a ticket whose code has come back; TICKET_INVALID.

    If somebody has got the address meanwhile, the code has proved that account to be the caller's.
    """
    customer_id: str | None = ticket.data.get(SIGNUP)
    if customer_id is None or ticket.recipient is None or not uow.tenant.login_code_signup:
        raise invalid_ticket()
    email = parse_email(uow.tools.sealer.open(ticket.recipient))
    credential = Credential(
        tenant_id=uow.tenant.id,
        customer_id=customer_id,
        email=email.address,
        email_key=email.key,
        email_verified_at=uow.now,
        changed_at=uow.now,
        made_by=Maker.SIGNUP.value,
    )
    if not await uow.credentials.add_unless_email_taken(credential):
        owner = await uow.credentials.find_by_email(email.key)
        if owner is None or not email.is_same_mailbox(owner.email):
            raise invalid_ticket()
        return Proved(owner.customer_id, Factor(SignInMethod.EMAIL_CODE), proves_email=True)
    await prove_ownership(uow, credential, Proof.MAILED_CODE)
    is_active = uow.tenant.signup is not SignupMode.EMPLOYEE_ACTIVATION
    await add_customer(uow, customer_id, {"contact_email": email.address, "active": is_active}, email=email.address)
    await record(uow, AuditAction.CUSTOMER_CREATED, customer_id)
    await emit(uow, Topic.CUSTOMER_CREATED, customer_id, sessionId=ticket.session_id)
    if not is_active:
        await tell_of_registration(uow, customer_id)
    return Proved(customer_id, Factor(SignInMethod.EMAIL_CODE), proves_email=True, is_new=True)
