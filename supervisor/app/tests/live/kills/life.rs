//! One life of the service, from its start to the kill, and those who talk to it.

use super::account::{Account, Unsure, number};
use crate::daemon::{Answer, Daemon, try_ask};
use crate::dice::Dice;
use crate::virtual_site::VirtualSite;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Pause of a client between two requests.
const BREATH: Duration = Duration::from_millis(8);

/// Older records that are looked at after each kill, beside those of the latest two lives.
const SAMPLED: u64 = 30;

/// One life.
#[derive(Clone)]
pub(super) struct Life {
    address: SocketAddr,
    token: String,
    account: Arc<Mutex<Account>>,
}

/// The clients of one life; they end when the service does.
pub(super) struct Clients(JoinSet<()>);

impl Clients {
    pub(super) async fn ended(mut self) {
        while let Some(ended) = self.0.join_next().await {
            ended.expect("a client found something wrong");
        }
    }
}

impl Life {
    pub(super) fn new(site: &VirtualSite, daemon: &Daemon, account: Arc<Mutex<Account>>) -> Life {
        Life { address: daemon.address, token: site.token(), account }
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().expect("the account")
    }

    async fn get(&self, path: &str) -> Option<Answer> {
        try_ask(self.address, &format!("GET {path} HTTP/1.1\r\n"), "").await
    }

    async fn post(&self, path: &str, key: &str, body: &str) -> Option<Answer> {
        let (length, token) = (body.len(), &self.token);
        let head =
            format!("POST {path} HTTP/1.1\r\ncontent-length: {length}\r\n{token}idempotency-key: {key}\r\n");
        try_ask(self.address, &head, body).await
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await.unwrap_or_else(|| panic!("no answer to {path}"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// After a start: asks again what had no answer, and looks whether the latest, and some of the older ones, are
    /// there.
    pub(super) async fn catch_up(&self, dice: &mut Dice) {
        let unsure = std::mem::take(&mut self.account().unsure);
        for Unsure { path, key, body } in unsure {
            let answer = self.post(&path, &key, &body).await.expect("an answer");
            let mut account = self.account();
            account.asked_again += 1;
            match path.ends_with("/acknowledge") {
                true => assert!(answer.status == 200 || answer.status == 409, "{path}: {answer:?}"),
                false => {
                    assert_eq!(answer.status, 201, "{path}: {answer:?}");
                    account.note(answer.json());
                }
            }
        }
        let recent = std::mem::take(&mut self.account().recent);
        let all: Vec<u64> = self.account().records.keys().cloned().collect();
        let sampled =
            (0..SAMPLED.min(all.len() as u64)).map(|_| all[dice.within(0..all.len() as u64) as usize]);
        for sequence in recent.iter().copied().chain(sampled) {
            self.look_at_record(sequence).await;
        }
        self.look_at_acknowledged().await;
        self.one_open_fault_of_a_kind().await;
    }

    async fn look_at_record(&self, sequence: u64) {
        let answered = self.account().records[&sequence].clone();
        let found = self.json(&format!("/api/v1/records/{}", number(&answered))).await;
        assert_eq!(found, answered, "not what was answered");
    }

    async fn look_at_acknowledged(&self) {
        let acknowledged = self.account().acknowledged.clone();
        for (id, number) in acknowledged {
            let fault = self.json(&format!("/api/v1/faults/{id}")).await;
            assert_eq!(
                (fault["number"].as_str(), fault["operator"].as_str()),
                (Some(&*number), Some("acknowledged"))
            );
        }
    }

    async fn one_open_fault_of_a_kind(&self) {
        let open = self.json("/api/v1/faults?state=open&limit=1000").await;
        let open = open["faults"].as_array().expect("faults");
        let mut keys: Vec<String> =
            open.iter().map(|f| format!("{} {} {}", f["device"], f["rule"], f["instance"])).collect();
        keys.sort();
        assert!(keys.windows(2).all(|two| two[0] != two[1]), "two open faults of one kind: {keys:?}");
    }

    /// Everything that was ever confirmed.
    pub(super) async fn look_at_everything(&self) {
        let all: Vec<u64> = self.account().records.keys().copied().collect();
        for sequence in all {
            self.look_at_record(sequence).await;
        }
        let heard = self.account().transitions.clone();
        let faults: BTreeSet<u64> = heard.values().filter_map(|t| t["fault"]["id"].as_u64()).collect();
        let mut kept = BTreeMap::new();
        for fault in faults {
            let story = self.json(&format!("/api/v1/faults/{fault}")).await;
            let transitions = story["transitions"].as_array().expect("transitions").clone();
            kept.extend(transitions.into_iter().map(|t| (t["id"].as_u64().expect("an id"), t)));
        }
        // A few of the last may have happened after the stream was cut.
        for (id, transition) in &heard {
            assert_eq!(kept.get(id), Some(transition), "transition {id} is not what was heard");
        }
    }

    /// Those who talk to it until it ends.
    pub(super) fn go_on(&self, seed: u64) -> Clients {
        let mut clients = JoinSet::new();
        let life = self.clone();
        clients.spawn(async move {
            let from = life.account().newest();
            life.listen(from).await;
        });
        let life = self.clone();
        clients.spawn(async move { while life.acknowledge().await.is_some() {} });
        let (life, mut dice) = (self.clone(), Dice(seed));
        clients.spawn(async move { while life.write(&mut dice).await.is_some() {} });
        Clients(clients)
    }

    /// Acknowledges the newest fault that nobody has acknowledged; `None` when the service is gone.
    async fn acknowledge(&self) -> Option<()> {
        tokio::time::sleep(BREATH).await;
        let open = self.get("/api/v1/faults?state=open&limit=100").await?.json();
        let fault =
            open["faults"].as_array().expect("faults").iter().find(|f| f["operator"] == "none").cloned();
        let Some(fault) = fault else { return Some(()) };
        let id = fault["id"].as_u64().expect("an id");
        let path = format!("/api/v1/faults/{id}/acknowledge");
        let answer = self.ask(path, String::new()).await?;
        if answer.status == 409 {
            return Some(());
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        let number = fault["number"].as_str().expect("a number").to_owned();
        self.account().acknowledged.insert(id, number);
        Some(())
    }

    /// Writes a record, or amends one.
    async fn write(&self, dice: &mut Dice) -> Option<()> {
        tokio::time::sleep(BREATH).await;
        let newest = self.account().records.values().next_back().map(|record| number(record).to_owned());
        let (path, body) = match newest.filter(|_| dice.within(0..3) == 0) {
            Some(number) => (
                format!("/api/v1/records/{number}/amendments"),
                json!({"field": "cause", "value": format!("原因 {}", dice.next()), "reason": "补记", "author": "李工"}),
            ),
            None => {
                let text = format!("第 {} 次", dice.next());
                let record = json!({
                    "kind": "corrective", "devices": ["silent-0"], "symptom": text, "reporter": text,
                    "process": "更换电源", "engineer": "王工", "reported_at": "2026-11-01T08:00:00+08:00",
                });
                ("/api/v1/records".to_owned(), record)
            }
        };
        let amends = path.ends_with("amendments");
        let answer = self.ask(path, body.to_string()).await?;
        assert_eq!(answer.status, 201, "{answer:?}");
        let mut account = self.account();
        account.amendments += u64::from(amends);
        account.note(answer.json());
        Some(())
    }

    /// Asks under a key of its own; notes it where no answer comes.
    async fn ask(&self, path: String, body: String) -> Option<Answer> {
        let key = self.account().key();
        let answer = self.post(&path, &key, &body).await;
        if answer.is_none() {
            self.account().unsure.push(Unsure { path, key, body });
        }
        answer
    }

    /// Hears the transitions after number `from` until the service ends.
    async fn listen(&self, from: u64) {
        let Ok(mut stream) = TcpStream::connect(self.address).await else { return };
        let head =
            format!("GET /api/v1/events?last={from} HTTP/1.1\r\nhost: x\r\naccept-language: en\r\n\r\n");
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
        let mut lines = BufReader::new(stream).lines();
        let (mut event, mut id, mut data) = (String::new(), None, None);
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(name) = line.strip_prefix("event: ") {
                name.trim().clone_into(&mut event);
            } else if let Some(number) = line.strip_prefix("id: ") {
                id = number.trim().parse::<u64>().ok();
            } else if let Some(text) = line.strip_prefix("data: ") {
                // The last line before the kill may be cut.
                data = serde_json::from_str::<Value>(text).ok();
            } else if line.is_empty() {
                assert_ne!(event, "reset", "the replay from {from} on is not whole");
                if let ("transition", Some(id), Some(data)) = (&*event, id.take(), data.take()) {
                    self.account().hear(id, data);
                }
                event.clear();
            }
        }
    }
}
