create table secrets (
    name text primary key,
    value blob not null
) strict, without rowid;

create table history (
    person_type text not null,
    person_id text not null,
    sequence integer not null,
    entry text not null,
    primary key (person_type, person_id, sequence)
) strict, without rowid;

create table handles (
    number integer primary key,
    handle blob not null,
    owner_type text not null,
    owner_id text not null,
    via text not null,
    unique (handle, owner_type, owner_id)
) strict;

create table approvals (
    id text primary key,
    person_type text not null,
    person_id text not null,
    subject_type text not null,
    subject_id text not null,
    family text not null,
    tool text not null,
    asked integer not null,
    state text not null,
    answered integer,
    answered_by text,
    until integer
) strict, without rowid;

create unique index pending_approvals
    on approvals (person_type, person_id, subject_type, subject_id, family)
    where state = 'pending';
