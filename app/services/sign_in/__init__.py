"""Sign-ins that take a ticket: mailed and texted codes, passkeys, second factors, and proofs within a session.

How a method is added:

1. Its name stands in `SignInMethod` of `app/domain/sign_in.py`, with its word for `amr`; `Tenant.sign_in_methods` says
   where it is on, `WaysIn` and `next_methods` where it counts as a second factor.
2. A file here with its verifier: `async def verify_…(uow, attempt: Attempt) -> Proved`. It gets the ticket, whose try
   is counted and for which the method is offered, and what the person has given; it raises CODE_INVALID or the like at
   `attempt.field`. Hash first, write later: no transaction is open when it is called. What it uses up (a time step, a
   recovery code, a counter) it uses up by a guarded statement whose row count decides.
3. A line in `VERIFIERS` of `methods.py`. From then on `completeLogin` and `reauthenticate` take it; its field of their
   inputs is in `ANSWER_FIELDS` there.
4. What begins it (`beginPasskeyLogin`, `requestLoginCode`) makes a ticket with `sessions/tickets.issue_ticket`, or with
   `open_step` of `steps.py` takes the ticket of a login that goes on.
5. What enrols it during a login that has nothing else to go on with (`require_second_factor = "all"`) takes that
   login's ticket by `enrolling_customer` of `steps.py`; afterwards `completeLogin` takes the new method with the same
   ticket.

Whoever adds or removes a way in writes the audit, the event and the mail with the way back, and ends what it opened.
"""
