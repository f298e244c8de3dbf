-- What each of the three groups may do, to the letter: whatever was granted besides is taken back. Whoever owns the
-- tables may do everything, and is the only one who may change or delete what a run has on record.

REVOKE ALL ON ALL TABLES IN SCHEMA referral_bulk
    FROM PUBLIC, referral_bulk_planner, referral_bulk_worker, referral_bulk_reader;
REVOKE ALL ON SCHEMA referral_bulk
    FROM PUBLIC, referral_bulk_planner, referral_bulk_worker, referral_bulk_reader;

GRANT USAGE ON SCHEMA referral_bulk
    TO referral_bulk_planner, referral_bulk_worker, referral_bulk_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA referral_bulk
    TO referral_bulk_planner, referral_bulk_worker, referral_bulk_reader;

-- A planner makes plans, gives one up that isn't complete, and puts the consent to one on record.
GRANT INSERT, UPDATE ON referral_bulk.run TO referral_bulk_planner;
GRANT INSERT, UPDATE, DELETE ON referral_bulk.input TO referral_bulk_planner;
GRANT INSERT, DELETE ON referral_bulk.row, referral_bulk.matched, referral_bulk.item, referral_bulk.subject,
    referral_bulk.turn TO referral_bulk_planner;
GRANT INSERT ON referral_bulk.consent, referral_bulk.approval, referral_bulk.outcome, referral_bulk.session,
    referral_bulk.quota TO referral_bulk_planner;

-- A worker carries plans out. It can change no plan, consent to none, and take nothing back that is on record.
GRANT INSERT ON referral_bulk.worker, referral_bulk.span, referral_bulk.attempt, referral_bulk.outcome,
    referral_bulk.step, referral_bulk.session, referral_bulk.verification, referral_bulk.verified
    TO referral_bulk_worker;
GRANT UPDATE (phase, next_item, errors, stop, timeline, lost) ON referral_bulk.run TO referral_bulk_worker;
GRANT UPDATE (expires_at, ended_at, ended_by) ON referral_bulk.worker TO referral_bulk_worker;
GRANT UPDATE (worker) ON referral_bulk.span TO referral_bulk_worker;
GRANT UPDATE (version, controller, spacing, next_slot, closed_until, epoch) ON referral_bulk.quota
    TO referral_bulk_worker;
GRANT UPDATE (result, status, code, answered_at, late) ON referral_bulk.attempt TO referral_bulk_worker;
GRANT UPDATE (verification, verified) ON referral_bulk.verified TO referral_bulk_worker;
