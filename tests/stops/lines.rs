//! Lines that are cut.

use nix::sys::signal::Signal;

use super::{World, names_resume, seed_etag};
use crate::support::referrals::id;
use crate::support::waiting::until;

#[test]
fn a_line_that_is_cut_leaves_nothing_unknown() {
    let mut world = World::new(30, &[]);
    world.tap.let_patches_through(10);
    let sending = world.apply(&["--rate", "100000/s"]);
    world.tap.has_seen_patches(11);
    world.tap.down();
    let ended = sending.wait().expect(4);
    assert!(ended.stderr.contains("stopped: the service cannot be reached"), "{}", ended.stderr);
    names_resume(&ended);
    world.is_booked();
    world.tap.up();
    world.resume_to_the_end();
}

/// A request arrives after it was read back as lost, the next one is refused for it, and right then the
/// process dies. The refusal tells that the first one arrived.
#[test]
fn a_refusal_that_we_caused_ourselves_is_no_conflict() {
    let world = World::new(1, &[]);
    world.tap.let_patches_through(0);
    let sending = world.apply(&["--rate", "100000/s"]);
    world.tap.has_seen_patches(1);
    world.tap.hang_up_on_patch(1);
    world.tap.has_seen_patches(2);
    world.tap.hold(&["GET"]);
    let reads = world.tap.count("GET");
    world.tap.let_patches_through(1);
    until("the first arrives", || {
        let after = world.service.referrals()[&id(0)].clone();
        (after["eTag"] != seed_etag(&after)).then_some(())
    });
    world.tap.let_patches_through(2);
    until("the refusal is looked into", || (world.tap.count("GET") > reads).then_some(()));
    sending.signal(Signal::SIGKILL);
    sending.wait();
    world.home.run(&["report", "run"]).expect(4);
    assert_eq!(world.home.run_of("run").outcomes(), "1 unknown");
    world.tap.release();
    world.resume_to_the_end();
}
