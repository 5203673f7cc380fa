"""Users, tokens and roles, for administrators, in JSON. Whatever is changed stands in the audit log
with who did it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from escudo.serve.accounts.administration import Administration
from escudo.serve.accounts.tokens import Token
from escudo.serve.accounts.users import LONGEST, User
from escudo.serve.permissions import ROLES, Permission, asks

router = APIRouter(prefix="/api", tags=["administration"])

MOST_NUMBER = 2**53
"""The largest number of a token: one that JSON holds exactly."""

Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Role = Annotated[str, Field(json_schema_extra={"enum": list(ROLES)})]
RoleNames = Annotated[list[Role], Field(min_length=1, max_length=10)]
Password = Annotated[SecretStr, Field(max_length=LONGEST)]


class UserView(BaseModel):
    """A user. Times are epoch seconds; ``provider`` is ``local`` or ``oidc``."""

    name: str
    roles: list[str]
    full_name: str
    provider: str
    created: float
    disabled: float | None
    must_change: bool


class NewUser(BaseModel):
    """A user who is to be. Without a password one is made, and told once in the answer."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    roles: RoleNames
    full_name: str = Field("", max_length=200)
    password: Password | None = None


class MadeUser(UserView):
    """``password`` is the one that was made, which the user has to change at once."""

    password: str | None = None


class UserChange(BaseModel):
    """What is to be different of a user; what is not given stays. A password that is given is to be
    changed by the user at once."""

    model_config = ConfigDict(extra="forbid")

    roles: RoleNames | None = None
    full_name: str | None = Field(None, max_length=200)
    disabled: bool | None = None
    password: Password | None = None


class TokenView(BaseModel):
    """A token. ``secret`` is there of HEC's alone, whose senders may have to be told it again."""

    id: int
    name: str
    kind: str
    owner: str
    settings: dict[str, Any]
    created: float
    expires: float | None
    disabled: float | None
    used: float | None
    secret: str | None


class TokenSettings(BaseModel):
    """Of HEC the keys of inputs.conf; of the API ``roles``, fewer than its owner's."""

    model_config = ConfigDict(extra="forbid")

    roles: RoleNames | None = None
    indexes: list[Name] | None = Field(None, max_length=1000)
    index: Name | None = None
    source: Name | None = None
    sourcetype: Name | None = None
    host: Name | None = None
    use_ack: bool | None = Field(None, alias="useACK")


class NewToken(BaseModel):
    """A token that is to be; ``owner`` is who asks, unless given; ``days`` how long it counts."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: Literal["api", "hec"]
    owner: Name | None = None
    days: float | None = Field(None, gt=0, le=36_500)
    settings: TokenSettings | None = None


class TokenChange(BaseModel):
    """What is to be different of a token; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    disabled: bool | None = None
    settings: TokenSettings | None = None


class RoleView(BaseModel):
    """A role: its rights, the indexes it sees, and what one search of it may take."""

    name: str
    rights: list[str]
    indexes: list[str]
    seconds: float
    rows: int
    memory: str
    at_once: int


class RoleChange(BaseModel):
    """What is to be different of a role; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    indexes: list[Name] | None = Field(None, max_length=1000)
    seconds: float | None = None
    rows: int | None = None
    memory: str | None = Field(None, max_length=20)
    at_once: int | None = None


@router.get("/users")
@asks(Permission.ADMINISTER)
def list_users(request: Request) -> list[UserView]:
    """All users, by name."""
    return [_show_user(user) for user in Administration.of(request).accounts.users.list()]


@router.post("/users", status_code=201)
@asks(Permission.ADMINISTER)
def add_user(request: Request, given: NewUser) -> MadeUser:
    """Makes a user."""
    user, made = Administration.of(request).add_user(
        given.name, given.roles, full_name=given.full_name, password=_reveal(given.password)
    )
    return MadeUser(**_show_user(user).model_dump(), password=made)


@router.get("/users/{name}")
@asks(Permission.ADMINISTER)
def read_user(request: Request, name: str) -> UserView:
    """One user."""
    return _show_user(Administration.of(request).accounts.users.read(name))


@router.patch("/users/{name}")
@asks(Permission.ADMINISTER)
def change_user(request: Request, name: str, given: UserChange) -> UserView:
    """Changes roles, name or password of a user, or lets him in no more."""
    user = Administration.of(request).change_user(
        name,
        roles=given.roles,
        full_name=given.full_name,
        disabled=given.disabled,
        password=_reveal(given.password),
    )
    return _show_user(user)


@router.delete("/users/{name}", status_code=204)
@asks(Permission.ADMINISTER)
def remove_user(request: Request, name: str) -> None:
    """Takes a user away."""
    Administration.of(request).remove_user(name)


@router.get("/tokens")
@asks(Permission.ADMINISTER)
def list_tokens(request: Request, kind: Literal["api", "hec"] | None = None) -> list[TokenView]:
    """All tokens, or those of a kind."""
    return [_show_token(token) for token in Administration.of(request).accounts.tokens.list(kind)]


@router.post("/tokens", status_code=201)
@asks(Permission.ADMINISTER)
def add_token(request: Request, given: NewToken) -> TokenView:
    """Makes a token; its secret is in the answer, and of the API's never again."""
    secret, token = Administration.of(request).add_token(
        given.name,
        kind=given.kind,
        owner=given.owner,
        days=given.days,
        settings=_dump(given.settings),
    )
    return _show_token(token, secret)


@router.patch("/tokens/{number}")
@asks(Permission.ADMINISTER)
def change_token(request: Request, number: Number, given: TokenChange) -> TokenView:
    """Changes the settings of a token, or has it count no more."""
    token = Administration.of(request).change_token(
        number,
        disabled=given.disabled,
        settings=_dump(given.settings),
    )
    return _show_token(token)


@router.delete("/tokens/{number}", status_code=204)
@asks(Permission.ADMINISTER)
def remove_token(request: Request, number: Number) -> None:
    """Takes a token away."""
    Administration.of(request).remove_token(number)


@router.get("/roles")
@asks(Permission.ADMINISTER)
def list_roles(request: Request) -> list[RoleView]:
    """The roles, each with more rights than the one before."""
    return [RoleView(**row) for row in Administration.of(request).list_roles()]


@router.patch("/roles/{name}")
@asks(Permission.ADMINISTER)
def change_role(request: Request, name: Role, given: RoleChange) -> RoleView:
    """Changes what a role sees and may take."""
    administration = Administration.of(request)
    administration.change_role(name, given.model_dump(exclude_none=True, by_alias=True))
    return next(RoleView(**row) for row in administration.list_roles() if row["name"] == name)


def _dump(settings: TokenSettings | None) -> dict[str, Any] | None:
    return None if settings is None else settings.model_dump(exclude_none=True, by_alias=True)


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _show_user(user: User) -> UserView:
    return UserView(
        name=user.name,
        roles=list(user.roles),
        full_name=user.full_name,
        provider=user.provider,
        created=user.created,
        disabled=user.disabled,
        must_change=user.must_change,
    )


def _show_token(token: Token, secret: str | None = None) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        kind=token.kind,
        owner=token.owner,
        settings=dict(token.settings),
        created=token.created,
        expires=token.expires,
        disabled=token.disabled,
        used=token.used,
        secret=secret or token.secret,
    )
