create table meta (
    name text primary key,
    value integer not null
) strict, without rowid;

create table entities (
    source text not null,
    type text not null,
    id text not null,
    record text not null,
    primary key (source, type, id)
) strict, without rowid;

create table standings (
    type text not null,
    id text not null,
    active integer not null,
    risk text,
    device_compliant integer,
    session_revoked integer not null,
    primary key (type, id)
) strict, without rowid;

create table grant_keys (
    kid text primary key,
    pkcs8 blob not null,
    created integer not null
) strict, without rowid;

create table definitions (
    server text primary key,
    json text not null
) strict, without rowid;
