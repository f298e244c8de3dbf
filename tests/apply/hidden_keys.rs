//! Lists of which the service's pages, or a snapshot, hide the keys: whom an element is about is looked up, or said to be
//! unknown.

use serde_json::{Value, json};

use crate::support::case::Test;
use crate::support::place::Place;
use crate::support::referrals::{id, referral};
use crate::support::sandbox::Sandbox;

const FAST: &str = "--plan --rate 100000/s --progress none --summary none";

/// A member of elements, the list that they stand in, the input's name and its text.
type Input = (&'static str, &'static str, &'static str, String);

/// What is planned, each of an element of the referral.
fn inputs() -> Vec<Input> {
    let id = id(1);
    let line = |value: Value| format!("{value}\n");
    let portal = |column: &str, cell: &str| {
        format!("Referral ID,Deal Name,Partner Referral Status,{column}\n{id},,,\"{cell}\"\n")
    };
    let solutions = "/details/requirements/solutions";
    vec![
        ("team.email", "/team", "a.csv", portal("Team member 1", "Kim, Lee, 1, kim@example.com")),
        ("team.email", "/team", "a.csv", portal("Team member 1", "Kim, Lee, 2, kim@example.com")),
        ("team.email", "/team", "a.csv", format!("id,team.add\n{id},\"Kim, Lee, 1, kim@example.com\"\n")),
        ("team.email", "/team", "a.csv", format!("id,team.add\n{id},\"Bo, Ek, 1, bo@example.com\"\n")),
        (
            "team.email",
            "/team",
            "a.jsonl",
            line(json!({"id": id, "team": [{"email": "kim@example.com", "phoneNumber": "2"}]})),
        ),
        (
            "customerProfile.team.email",
            "/customerProfile/team",
            "a.jsonl",
            line(
                json!({"id": id, "customerProfile": {"team": [{"email": "nora@example.com", "phoneNumber": "2"}]}}),
            ),
        ),
        ("details.requirements.solutions.id", solutions, "a.csv", portal("Solution 1", "SOL-01")),
        ("details.requirements.solutions.id", solutions, "a.csv", portal("Solution 1", "SOL-01, EUR, 5, 7")),
        (
            "details.requirements.solutions.id",
            solutions,
            "a.jsonl",
            line(
                json!({"id": id, "details": {"requirements": {"solutions": [{"id": "SOL-01", "quantity": 7}]}}}),
            ),
        ),
    ]
}

/// The referral, with more in every element than a file shows.
fn seed() -> Value {
    let mut seed = referral(1, "Active", "Accepted");
    let person = |name: &str, email: &str| {
        json!({
            "firstName": name, "lastName": "Lee", "phoneNumber": "1", "email": email,
            "title": "Manager", "contactPreference": {"locale": "en-us"},
        })
    };
    seed["team"] = json!([person("Kim", "kim@example.com")]);
    seed["customerProfile"] = json!({"team": [person("Nora", "nora@example.com")]});
    seed["details"]["requirements"] =
        json!({"solutions": [{"id": "SOL-01", "name": "One", "type": "Name", "quantity": null}]});
    seed
}

#[test]
fn what_a_page_hides_of_an_element_is_looked_up() {
    let inputs = inputs();
    let plans = ["", "--list-omits", "--list-nulls"].map(|option| {
        let place = Place::new();
        let members = inputs.iter().map(|(member, ..)| *member).filter(|_| !option.is_empty());
        let lists: Vec<&str> = members.flat_map(|member| [option, member]).collect();
        let service = Sandbox::seeded(&place, &[seed()], &lists);
        let plan_of = |(at, (_, _, name, text)): (usize, &Input)| {
            place.write(name, text);
            let apply = format!("apply {name} --endpoint {} {FAST} --out run-{at}", service.base);
            place.run(&shlex::split(&apply).unwrap()).expect(0);
            let plan = place.run_of(&format!("run-{at}")).lines("plan.jsonl");
            (plan[0]["outcome"].clone(), plan[0]["operations"].clone())
        };
        inputs.iter().enumerate().map(plan_of).collect::<Vec<(Value, Value)>>()
    });
    for (at, (member, _, _, text)) in inputs.iter().enumerate() {
        assert_eq!(plans[0][at], plans[1][at], "{member} left out: {text}");
        assert_eq!(plans[0][at], plans[2][at], "{member} as null: {text}");
    }
}

#[test]
fn what_a_snapshot_hides_of_an_element_is_said_to_be_unknown() {
    for (member, list, name, text) in inputs() {
        for hidden in [None, Some(Value::Null)] {
            let mut seed = seed();
            let key = member.rsplit('.').next().unwrap();
            let element = seed.pointer_mut(&format!("{list}/0")).and_then(Value::as_object_mut).unwrap();
            element.remove(key);
            element.extend(hidden.map(|hidden| (key.to_owned(), hidden)));
            let ran = Test::new(&format!("apply {name} --state seed.jsonl {FAST} --out run"))
                .file("seed.jsonl", format!("{seed}\n"))
                .file(name, text.clone())
                .code(3)
                .told_elsewhere()
                .run();
            let told = format!("error[incomplete-state]: the snapshot does not show {list}/0/{key}, which");
            assert!(ran.stderr().contains(&told), "{text}: {}", ran.stderr());
            assert_eq!(ran.outcomes("run"), "1 invalid", "{text}");
        }
    }
}
