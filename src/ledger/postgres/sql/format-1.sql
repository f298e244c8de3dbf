-- The first format of the shared ledger. What was released is never changed: a later format is a file of its own.
--
-- What is written once per row or item has neither a reference nor a type that takes it apart: both would cost time for
-- each of millions. JSON is kept as text there, letter by letter: jsonb would write numbers anew and refuses \u0000.

CREATE SCHEMA referral_bulk;
COMMENT ON SCHEMA referral_bulk IS 'The shared ledger of referral-bulk. Change nothing by hand.';

-- Which ledger this is. least_writer is the oldest format whose programs may still write it.
CREATE TABLE referral_bulk.ledger (
    single       boolean PRIMARY KEY DEFAULT true CHECK (single),
    application  text NOT NULL CHECK (application = 'referral-bulk'),
    format       integer NOT NULL CHECK (format > 0),
    least_writer integer NOT NULL CHECK (least_writer BETWEEN 1 AND format),
    identity     uuid NOT NULL
);

-- A run. It is updated at every claim and every error, and read with every intent, so its page has room for new
-- versions of it.
CREATE TABLE referral_bulk.run (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
    tenant           text NOT NULL,
    endpoint         text NOT NULL,
    -- The format that it was planned with.
    format           integer NOT NULL,
    phase            text NOT NULL DEFAULT 'planning'
                     CHECK (phase IN ('planning', 'planned', 'sending', 'finished')),
    began_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    about            json NOT NULL,
    items            bigint CHECK (items >= 0),
    plan_sha256      text,
    -- The plan that was last consented to.
    consented_sha256 text,
    next_item        bigint NOT NULL DEFAULT 1 CHECK (next_item > 0),
    errors           bigint NOT NULL DEFAULT 0 CHECK (errors >= 0),
    max_errors       bigint CHECK (max_errors > 0),
    finish_by        timestamptz,
    stop             json,
    -- The history of the server on which it is sent, and what was found lost when that changed.
    timeline         text,
    lost             json,
    CONSTRAINT sealed_first CHECK (phase = 'planning' OR (items IS NOT NULL AND plan_sha256 IS NOT NULL)),
    -- Nothing is sent of a plan that nobody consented to, whoever asks for it.
    CONSTRAINT consented_first CHECK (phase <> 'sending' OR coalesce(consented_sha256 = plan_sha256, false))
) WITH (fillfactor = 50);

-- What the plan was made of, and the plan.

CREATE TABLE referral_bulk.input (
    run    bigint NOT NULL REFERENCES referral_bulk.run,
    number integer NOT NULL,
    -- Whether it was read for the plan that is there, or only for one that was given up.
    read   boolean NOT NULL,
    info   json NOT NULL,
    PRIMARY KEY (run, number)
);

CREATE TABLE referral_bulk.row (
    run      bigint NOT NULL,
    number   bigint NOT NULL,
    input    integer NOT NULL,
    line     bigint NOT NULL,
    cell     bigint NOT NULL,
    item     bigint,
    referral uuid,
    verdict  text,
    findings text NOT NULL,
    text     text NOT NULL,
    PRIMARY KEY (run, number)
);
CREATE INDEX row_of_item ON referral_bulk.row (run, item) WHERE item IS NOT NULL;
CREATE INDEX row_of_referral ON referral_bulk.row (run, referral) WHERE referral IS NOT NULL;

-- The keys by which rows were matched; none where rows name their referrals by id.
CREATE TABLE referral_bulk.matched (
    run     bigint NOT NULL,
    row     bigint NOT NULL,
    matched text NOT NULL,
    PRIMARY KEY (run, row)
);

CREATE TABLE referral_bulk.item (
    run        bigint NOT NULL,
    number     bigint NOT NULL,
    referral   uuid NOT NULL,
    effect     text NOT NULL,
    etag       text,
    bound      boolean NOT NULL,
    request_id uuid NOT NULL,
    findings   text NOT NULL,
    -- Of a legacy payload alone.
    audit      text,
    changes    text NOT NULL,
    patch      text NOT NULL,
    PRIMARY KEY (run, number),
    -- Items for one referral never overlap: there is one per run.
    CONSTRAINT item_of_referral UNIQUE (run, referral)
);

-- Of an item whose referral showed something of what people know it by.
CREATE TABLE referral_bulk.subject (
    run     bigint NOT NULL,
    item    bigint NOT NULL,
    subject text NOT NULL,
    PRIMARY KEY (run, item)
);

-- Which item is sent when; none where they are sent in the order of the inputs.
CREATE TABLE referral_bulk.turn (
    run    bigint NOT NULL,
    item   bigint NOT NULL,
    place  bigint NOT NULL,
    -- Whether there was a value to order it by: those that have none come last.
    valued boolean NOT NULL,
    PRIMARY KEY (run, item),
    CONSTRAINT turn_by_place UNIQUE (run, place)
);

-- Who said yes to it.

CREATE TABLE referral_bulk.consent (
    run     bigint NOT NULL REFERENCES referral_bulk.run,
    number  integer NOT NULL,
    consent json NOT NULL,
    PRIMARY KEY (run, number)
);

CREATE TABLE referral_bulk.approval (
    run      bigint NOT NULL REFERENCES referral_bulk.run,
    number   integer NOT NULL,
    approval json NOT NULL,
    PRIMARY KEY (run, number)
);

-- Who carries it out.

-- A worker: its row is its lease, and id and key together are what it proves itself by. An id alone may come twice
-- after a failover that lost something.
CREATE TABLE referral_bulk.worker (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        uuid NOT NULL,
    name       text NOT NULL,
    host       text NOT NULL,
    version    text NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- From then on others may end the lease. Only that ends it, not the time.
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    ended_by   bigint
) WITH (fillfactor = 50);

-- A range of items, and the worker that holds it.
CREATE TABLE referral_bulk.span (
    run    bigint NOT NULL REFERENCES referral_bulk.run,
    first  bigint NOT NULL,
    last   bigint NOT NULL CHECK (last >= first),
    worker bigint REFERENCES referral_bulk.worker,
    PRIMARY KEY (run, first)
) WITH (fillfactor = 50);

-- How fast a tenant's requests go, on all machines together.
CREATE TABLE referral_bulk.quota (
    tenant       text PRIMARY KEY,
    version      bigint NOT NULL DEFAULT 0,
    controller   text,
    spacing      interval NOT NULL CHECK (spacing > interval '0'),
    next_slot    timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_until timestamptz NOT NULL DEFAULT 'epoch',
    epoch        bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- What was done.

-- An attempt: without a result it is an intent, which is on record before the request leaves.
CREATE TABLE referral_bulk.attempt (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run               bigint NOT NULL,
    item              bigint NOT NULL,
    worker            bigint NOT NULL,
    at                timestamptz NOT NULL,
    client_request_id uuid NOT NULL,
    etag              text,
    result            text,
    status            integer,
    code              text,
    answered_at       timestamptz,
    -- What came when the result was decided already.
    late              text,
    -- Only where they are other than the plan's, after a rebase.
    changes           text,
    patch             text
);
CREATE INDEX attempt_of_item ON referral_bulk.attempt (run, item, id);
-- No item is on its way twice, whatever the programs believe.
CREATE UNIQUE INDEX one_open ON referral_bulk.attempt (run, item) WHERE result IS NULL;

-- What became of an item: decided once. Of one that was decided while planning, no worker did.
CREATE TABLE referral_bulk.outcome (
    run     bigint NOT NULL,
    item    bigint NOT NULL,
    worker  bigint,
    outcome text NOT NULL,
    code    text NOT NULL,
    message text NOT NULL,
    status  integer,
    etag    text,
    at      timestamptz NOT NULL,
    theirs  text,
    PRIMARY KEY (run, item)
);

-- What happened to an item besides attempts and answers, for whoever asks later; nothing is decided by it.
CREATE TABLE referral_bulk.step (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run     bigint NOT NULL,
    item    bigint NOT NULL,
    attempt bigint,
    step    text NOT NULL
);
CREATE INDEX step_of_item ON referral_bulk.step (run, item, id);

-- The figures of a process that planned or sent, written at its end.
CREATE TABLE referral_bulk.session (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run     bigint NOT NULL REFERENCES referral_bulk.run,
    worker  bigint,
    figures json NOT NULL
);
CREATE INDEX session_of_run ON referral_bulk.session (run);

CREATE TABLE referral_bulk.verification (
    run          bigint NOT NULL REFERENCES referral_bulk.run,
    number       integer NOT NULL,
    verification json NOT NULL,
    PRIMARY KEY (run, number)
);

-- What the last verification of an item found.
CREATE TABLE referral_bulk.verified (
    run          bigint NOT NULL,
    item         bigint NOT NULL,
    verification integer NOT NULL,
    verified     text NOT NULL,
    PRIMARY KEY (run, item)
);
