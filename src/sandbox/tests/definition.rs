//! What the service's own definition allows, operation by operation and parameter by parameter, as somebody
//! asks it who has read nothing else: with the headers that the definition has, and no others.

use super::*;

const REGISTRATION: &str = r#"[{"op":"add","path":"/registrations/-","value":{"type":"AzureIPCoSell"}}]"#;

/// A request by its first line, more headers, and a body; its answer's status, and what must stand in it.
type Case = (&'static str, &'static str, &'static str, u16, &'static str);

/// The parameters of `GetAllReferrals`. Referral A is Active and worth 12500.5, B is New.
const LISTS: [Case; 31] = [
    ("GET ", "", "", 200, "A B"),
    ("GET ", "Content-Type: application/json\r\n", "", 200, "A B"),
    // The definition leaves its value open.
    ("GET ", "Content-Type: text/plain\r\n", "", 200, "A B"),
    ("GET ", "MS-CorrelationId: Monday's second try\r\n", "", 200, "A B"),
    ("GET ", "X-Caller-Id: 60858c1b-2062-40ad-b42c-996b6b5b047d\r\n", "", 200, "A B"),
    ("GET ", "client-request-id: mine\r\n", "", 200, "A B"),
    ("GET ?$filter=status%20eq%20'Active'", "", "", 200, "A"),
    ("GET ?$filter=status+eq+'New'+OR+details/dealValue+lt+123", "", "", 200, "B"),
    ("GET ?$filter=createdDateTime+ge+2026-01-02T00:00:00Z", "", "", 200, "A"),
    ("GET ?$filter=contains(details/notes,'their')", "", "", 200, "A"),
    ("GET ?$filter=status", "", "", 200, ""),
    ("GET ?$orderby=createdDateTime", "", "", 200, "B A"),
    ("GET ?$orderby=status+desc,details/dealValue", "", "", 200, "B A"),
    ("GET ?$top=1", "", "", 200, "A"),
    ("GET ?$top=0", "", "", 200, ""),
    ("GET ?$skip=1", "", "", 200, "B"),
    ("GET ?$count=true&$top=1", "", "", 200, "A \"@odata.count\":2"),
    ("GET ?$count=false", "", "", 200, "A B \"@odata.count\":2"),
    (
        "GET ?$select=id,details/dealValue&$top=1",
        "",
        "",
        200,
        "A {\"details\":{\"dealValue\":12500.5},\"id\"",
    ),
    ("GET ?$select=*", "", "", 200, "A B \"statusReason\""),
    ("GET ?$filter=status+eq+'New'&$orderby=name&$select=id&$top=5&$skip=0&$count=true", "", "", 200, "B"),
    // What isn't a query option means nothing.
    ("GET ?pageSize=20&utm=x", "", "", 200, "A B"),
    // What the sandbox doesn't play is told in words.
    (
        "GET ?$expand=",
        "",
        "",
        400,
        "$expand is no option of this list: it takes $filter, $orderby, $select, $top, $skip and $count",
    ),
    ("GET ?$expand=team", "", "", 400, "it takes $filter, $orderby, $select, $top, $skip and $count"),
    ("GET ?$filter=length(name)+gt+3", "", "", 400, "use contains, startswith or endswith"),
    ("GET ?$filter=stage+eq+'x'", "", "", 400, "write it as in status or details/dealValue"),
    ("GET ?$orderby=stage", "", "", 400, "\\\"stage\\\" is no member of a referral"),
    ("GET ?$select=stage", "", "", 400, "\\\"stage\\\" is no member of a referral"),
    ("GET ?$top=all", "", "", 400, "write a whole number"),
    ("GET ?$count=yes", "", "", 400, "write true or false"),
    ("GET ?$top=1&$top=2", "", "", 400, "$top stands there twice"),
];

/// The other operations; `ID` stands for referral A's, `ETAG` for its version.
const OTHERS: [Case; 22] = [
    ("GET /ID", "", "", 200, "12500.5"),
    ("GET /ID", "content-type: application/json\r\n", "", 200, "12500.5"),
    ("GET /ID", "MS-CorrelationId: x\r\nX-Caller-Id: y\r\n", "", 200, "12500.5"),
    ("GET /00000000-0000-4000-8000-000000000000", "", "", 404, "no referral of this id"),
    ("GET /R-1", "", "", 404, "no referral of this id"),
    ("PATCH /ID", "Content-Type: application/json\r\n", NOTES, 204, ""),
    ("PATCH /ID", "Content-Type: application/json; charset=utf-8\r\n", NOTES, 204, ""),
    (
        "PATCH /ID",
        "Content-Type: application/json\r\nMS-CorrelationId: x\r\nX-Caller-Id: y\r\n",
        NOTES,
        204,
        "",
    ),
    ("PATCH /ID", "Content-Type: application/json\r\nIf-Match: ETAG\r\n", NOTES, 204, ""),
    ("PATCH /ID", "Content-Type: application/json\r\nIf-Match: *\r\n", NOTES, 204, ""),
    ("PATCH /ID", "Content-Type: application/json\r\nIf-Match: \"x\"\r\n", NOTES, 412, "was changed since"),
    (
        "PATCH /ID",
        "Content-Type: application/json\r\nPrefer: respond-async, return=representation\r\n",
        NOTES,
        200,
        "mine",
    ),
    ("PATCH /ID", "Content-Type: application/json\r\nPrefer: return=minimal\r\n", NOTES, 204, ""),
    ("PATCH /ID", "Content-Type: application/json\r\nExpect: 100-continue\r\n", NOTES, 204, ""),
    ("PATCH /ID", "", NOTES, 415, "must be of type application/json"),
    ("PATCH /ID", "Content-Type: application/json-patch+json\r\n", NOTES, 415, "application/json"),
    ("PATCH /ID", "Content-Type: application/json\r\n", "", 400, "the body is no JSON"),
    // Other operations of the definition, which the sandbox doesn't play.
    ("POST ", "Content-Type: application/json\r\n", "{}", 405, "nothing is created or replaced"),
    ("PUT /ID", "Content-Type: application/json\r\nIf-Match: ETAG\r\n", "{}", 405, "takes GET, PATCH only"),
    (
        "PATCH /ID/",
        "Content-Type: application/json\r\n",
        REGISTRATION,
        404,
        "deal registrations are not played",
    ),
    (
        "PATCH /ID//",
        "Content-Type: application/json\r\n",
        REGISTRATION,
        404,
        "deal registrations are not played",
    ),
    ("GET /ID/", "", "", 404, "nothing at this path"),
];

/// Says this and reads all that comes. The connection ends in good order.
async fn say(address: SocketAddr, request: &str) -> Reply {
    let ask = async {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        // An interim answer stands before the other one.
        let answer = answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    };
    timeout(PATIENCE, ask).await.unwrap()
}

/// A request with a token and these headers.
fn request((line, headers, body, ..): Case) -> String {
    let (method, path) = line.split_once(' ').unwrap();
    let (path, headers) = (path.replace("ID", A), headers.replace("ETAG", ETAG));
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!(
        "{method} {PATH}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer rehearsal\r\n{headers}{length}\r\n{body}"
    )
}

async fn begin(config: SandboxConfig) -> Server {
    let seed = json!([
        {"id": A, "eTag": ETAG, "status": "Active", "substatus": "Accepted", "statusReason": null,
         "details": {"notes": "theirs", "dealValue": 12500.5}, "createdDateTime": "2026-01-02T00:00:00Z"},
        {"id": B, "status": "New", "substatus": "Received", "createdDateTime": "2026-01-01T00:00:00Z"},
    ]);
    serve_seed(&seed.to_string(), config).await
}

#[tokio::test]
async fn is_answered_for_lists() {
    let server = begin(SandboxConfig::default()).await;
    for case in LISTS {
        let (line, headers, _, status, wanted) = case;
        let reply = say(server.address, &request(case)).await;
        assert_eq!(reply.status, status, "{line} {headers}: {reply:?}");
        if status != 200 {
            assert!(reply.body.contains(wanted), "{line}: {}", reply.body);
            continue;
        }
        let page = reply.json();
        let name = |item: &Value| match item.get("id").and_then(Value::as_str) {
            Some(A) => "A",
            Some(B) => "B",
            _ => "?",
        };
        let names: Vec<&str> = page["value"].as_array().unwrap().iter().map(name).collect();
        let listed = wanted.split(' ').take_while(|word| matches!(*word, "A" | "B")).collect::<Vec<_>>();
        assert_eq!(names, listed, "{line} {headers}");
        let rest = wanted.trim_start_matches(['A', 'B', ' ']);
        assert!(reply.body.contains(rest), "{line}: {}", reply.body);
    }
    server.shut_down().await;
}

#[tokio::test]
async fn is_answered_for_single_referrals() {
    for case in OTHERS {
        let server = begin(SandboxConfig::default()).await;
        let (line, headers, _, status, wanted) = case;
        // The second request is the same.
        for _ in 0..2 {
            let again = request(case).replace(ETAG, server.a()["eTag"].as_str().unwrap());
            let reply = say(server.address, &again).await;
            assert_eq!(reply.status, status, "{line} {headers}: {reply:?}");
            assert!(reply.body.contains(wanted), "{line} {headers}: {}", reply.body);
        }
        server.shut_down().await;
    }
}

/// As a strict sandbox sees the same requests: none of them has an id of its own.
#[tokio::test]
async fn is_not_enough_where_the_documentation_is_the_measure() {
    let server = begin(SandboxConfig { strict: true, ..SandboxConfig::default() }).await;
    for case in LISTS.into_iter().chain(OTHERS) {
        let reply = say(server.address, &request(case)).await;
        let wanted = if case.1.contains("client-request-id") { "NoGuid" } else { "Missing" };
        let wanted = format!("ClientRequestId{wanted}");
        assert_eq!((reply.status, reply.code()), (400, wanted), "{} {}", case.0, case.1);
    }
    assert_eq!(server.sandbox.requests().applied, 0);
    server.shut_down().await;
}

/// The client has sent all of it by then, or nothing yet; either way it reads the answer, and the connection
/// ends without a reset.
#[tokio::test]
async fn has_its_limit_and_a_body_that_is_larger_is_told_so() {
    let server = begin(SandboxConfig::default()).await;
    let long = "x".repeat(5 << 20);
    let head = |more: &str| {
        format!(
            "PATCH {PATH}/{A} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer rehearsal\r\n\
             Content-Type: application/json\r\n{more}\r\n"
        )
    };
    let length = format!("Content-Length: {}\r\n", long.len());
    let chunked =
        format!("{}{:x}\r\n{long}\r\n0\r\n\r\n", head("Transfer-Encoding: chunked\r\n"), long.len());
    for asked in [head(&length) + &long, chunked, head(&format!("{length}Expect: 100-continue\r\n"))] {
        let reply = say(server.address, &asked).await;
        assert_eq!((reply.status, reply.code().as_str()), (413, "PayloadTooLarge"), "{}", &asked[..200]);
        assert_eq!(reply.header("Connection"), Some("close"));
        assert_eq!(reply.json()["error"]["message"], "the body is larger than 1048576 bytes");
    }
    assert_eq!(server.a()["eTag"], ETAG);
    server.shut_down().await;
}
