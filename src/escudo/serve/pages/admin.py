"""Users, tokens, roles with their limits, the audit log: pages of administrators, over
``accounts.administration``."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from escudo.core.errors import EscudoError
from escudo.serve.accounts.administration import Administration
from escudo.serve.accounts.tokens import API, HEC
from escudo.serve.accounts.users import LOCAL
from escudo.serve.pages.rendering import render
from escudo.serve.permissions import ROLES, Permission, asks

router = APIRouter(prefix="/admin", include_in_schema=False)

_PAGE = 100
_MOST_DAYS = 36_500

Text = Annotated[str, Form()]


def _explain(error: EscudoError) -> str:
    """An error as a sentence, with what to do."""
    told = error.diagnostic
    text = f"{told.message[:1].upper()}{told.message[1:]}."
    return f"{text} {told.hint}" if told.hint else text


@router.get("/users")
@asks(Permission.ADMINISTER)
def show_users(request: Request) -> Response:
    """The users, and a form for another one."""
    return _show_users(request)


def _show_users(request: Request, *, status: int = 200, **values: Any) -> Response:
    users = Administration.of(request).accounts.users.list()
    return render(
        request,
        "admin_users.html",
        status=status,
        **{"problem": "", "made": None, "users": users, "roles": tuple(ROLES), "local": LOCAL}
        | values,
    )


@router.post("/users")
@asks(Permission.ADMINISTER)
def add_user(
    request: Request, name: Text = "", role: Text = "viewer", full_name: Text = ""
) -> Response:
    """Makes a user, and shows the password that was made, this once."""
    administration = Administration.of(request)
    try:
        user, password = administration.add_user(
            name.strip(), [role], full_name=full_name.strip()[:200]
        )
    except EscudoError as error:
        return _show_users(request, status=400, problem=_explain(error))
    return _show_users(request, status=201, made=(user.name, password))


@router.post("/users/{name}")
@asks(Permission.ADMINISTER)
def change_user(request: Request, name: str, act: Text = "", role: Text = "") -> Response:
    """Does one act to a user: gives a role, another password, lets him in or not, removes him."""
    administration = Administration.of(request)
    try:
        match act:
            case "role":
                administration.change_user(name, roles=[role])
            case "disable" | "enable":
                administration.change_user(name, disabled=act == "disable")
            case "password":
                made = administration.make_password(name)
                return _show_users(request, made=(name, made))
            case "remove":
                administration.remove_user(name)
            case _:
                return _show_users(request, status=400, problem="There is no such act.")
    except EscudoError as error:
        return _show_users(request, status=400, problem=_explain(error))
    return RedirectResponse("/admin/users", 303)


@router.get("/tokens")
@asks(Permission.ADMINISTER)
def show_tokens(request: Request) -> Response:
    """The tokens, and a form for another one."""
    return _show_tokens(request)


def _show_tokens(request: Request, *, status: int = 200, **values: Any) -> Response:
    accounts = Administration.of(request).accounts
    return render(
        request,
        "admin_tokens.html",
        status=status,
        **{
            "problem": "",
            "made": None,
            "tokens": accounts.tokens.list(),
            "users": [user.name for user in accounts.users.list() if user.disabled is None],
            "kinds": {HEC: "HEC: sends events", API: "API: acts as its owner"},
        }
        | values,
    )


@router.post("/tokens")
@asks(Permission.ADMINISTER)
def add_token(
    request: Request,
    name: Text = "",
    kind: Text = HEC,
    owner: Text = "",
    index: Text = "",
    sourcetype: Text = "",
    days: Text = "",
) -> Response:
    """Makes a token, and shows its secret."""
    administration = Administration.of(request)
    settings = {"index": index.strip(), "sourcetype": sourcetype.strip()} if kind == HEC else {}
    try:
        if kind not in (HEC, API):
            return _show_tokens(request, status=400, problem="There is no such kind of token.")
        if days and not (days.isdecimal() and 1 <= int(days[:6]) <= _MOST_DAYS):
            # Not taken for none given: a token that counts for ever is not what was asked for.
            problem = f"A token counts for 1 to {_MOST_DAYS:,} days, or for ever."
            return _show_tokens(request, status=400, problem=problem)
        secret, token = administration.add_token(
            name.strip(),
            kind=kind,
            owner=owner or None,
            days=float(days) if days else None,
            settings={key: value for key, value in settings.items() if value},
        )
    except EscudoError as error:
        return _show_tokens(request, status=400, problem=_explain(error))
    return _show_tokens(request, status=201, made=(token, secret))


@router.post("/tokens/{number}")
@asks(Permission.ADMINISTER)
def change_token(request: Request, number: int, act: Text = "") -> Response:
    """Has a token count no more, or again, or takes it away."""
    administration = Administration.of(request)
    try:
        match act:
            case "disable" | "enable":
                administration.change_token(number, disabled=act == "disable")
            case "remove":
                administration.remove_token(number)
            case _:
                return _show_tokens(request, status=400, problem="There is no such act.")
    except EscudoError as error:
        return _show_tokens(request, status=400, problem=_explain(error))
    return RedirectResponse("/admin/tokens", 303)


@router.get("/roles")
@asks(Permission.ADMINISTER)
def show_roles(request: Request) -> Response:
    """What each role may do, which indexes it sees, and what one search of it may take."""
    return _show_roles(request)


def _show_roles(request: Request, *, status: int = 200, problem: str = "") -> Response:
    roles = Administration.of(request).list_roles()
    return render(request, "admin_roles.html", status=status, roles=roles, problem=problem)


@router.post("/roles/{name}")
@asks(Permission.ADMINISTER)
def change_role(
    request: Request,
    name: str,
    indexes: Text = "",
    seconds: Text = "",
    rows: Text = "",
    memory: Text = "",
    at_once: Text = "",
) -> Response:
    """Changes what a role sees and may take."""
    values: dict[str, Any] = {"indexes": indexes.split(), "memory": memory.strip()}
    try:
        values |= {"seconds": float(seconds), "rows": int(rows), "at_once": int(at_once)}
        Administration.of(request).change_role(name, values)
    except ValueError:
        return _show_roles(request, status=400, problem="Seconds, rows and searches are numbers.")
    except EscudoError as error:
        return _show_roles(request, status=400, problem=_explain(error))
    return RedirectResponse("/admin/roles", 303)


@router.get("/audit")
@asks(Permission.ADMINISTER)
def show_audit(
    request: Request,
    who: str = "",
    action: str = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Who did what, the newest first."""
    audit = Administration.of(request).accounts.audit
    entries = audit.list(most=_PAGE, before=before, who=who or None, action=action or None)
    older = ""
    if len(entries) == _PAGE:
        older = urlencode({"who": who, "action": action, "before": entries[-1].id})
    return render(
        request,
        "admin_audit.html",
        entries=entries,
        values={"who": who, "action": action},
        actions=audit.list_actions(),
        older=older,
        newest=before is None,
    )
