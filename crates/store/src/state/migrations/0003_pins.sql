create table pins (
    server text not null,
    form text not null,
    kind text not null,
    name text not null,
    status text not null,
    approved text,
    approved_sha256 blob,
    pending text,
    pending_sha256 blob,
    why text,
    first_seen integer not null,
    changed integer not null,
    decided integer,
    decided_by text,
    primary key (server, form, kind, name)
) strict, without rowid;
