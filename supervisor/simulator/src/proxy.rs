//! The fault proxy: stands on the device's address in front of its agent and its echo, and spoils what passes.

use crate::ber;
use crate::fault::Fault;
use crate::message::{GET_BULK, GET_NEXT, Message, RESPONSE, TOO_BIG, V1};
use crate::scene::share;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Longest datagram (RFC 768 over IPv4).
pub(crate) const LONGEST_DATAGRAM: usize = 65_507;

/// Most clients of one device that are told apart; the one unheard for longest makes room.
const MOST_CLIENTS: usize = 32;

/// Most answers of one device that wait for their late hour; further ones are lost.
const MOST_LATE: usize = 256;

/// Most requests of one client whose kind is remembered for `non-increasing`.
const MOST_ASKED: usize = 64;

/// The community of spoilt answers.
const OTHER_COMMUNITY: &[u8] = b"nobody-asked";

/// What is wrong with one device now, shared by its proxy and its echo.
#[derive(Debug)]
pub(crate) struct Line {
    fault: Mutex<Option<Fault>>,
    seed: u64,
    drawn: AtomicU64,
    late: AtomicUsize,
}

impl Line {
    /// A line on which nothing is wrong.
    pub(crate) fn new(seed: u64) -> Line {
        Line { fault: Mutex::new(None), seed, drawn: AtomicU64::new(0), late: AtomicUsize::new(0) }
    }

    /// What is wrong from now on.
    pub(crate) fn set(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether this request is lost.
    fn loses(&self) -> bool {
        match self.fault() {
            Some(Fault::Silent) => true,
            Some(Fault::Lossy(percent)) => self.draw() * 100.0 < f64::from(percent),
            _ => false,
        }
    }

    /// The next number of its dice, from 0 to 1.
    fn draw(&self) -> f64 {
        share(self.seed, self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    /// Sends an answer as the fault wants it: not at all, late, twice.
    async fn deliver(self: &Arc<Line>, socket: &Arc<UdpSocket>, answer: &[u8], to: SocketAddr) {
        match self.fault() {
            Some(Fault::Silent) => {}
            Some(fault @ (Fault::Late(by) | Fault::Slow(by))) => {
                let by = if fault == Fault::Late(by) { by } else { by.mul_f64(0.5 + self.draw()) };
                if self.late.fetch_add(1, Ordering::Relaxed) >= MOST_LATE {
                    self.late.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
                let (line, socket, answer) = (self.clone(), socket.clone(), answer.to_vec());
                tokio::spawn(async move {
                    tokio::time::sleep(by).await;
                    line.late.fetch_sub(1, Ordering::Relaxed);
                    let _ = socket.send_to(&answer, to).await;
                });
            }
            Some(Fault::Duplicate) => {
                let _ = socket.send_to(answer, to).await;
                let _ = socket.send_to(answer, to).await;
            }
            _ => {
                let _ = socket.send_to(answer, to).await;
            }
        }
    }
}

/// RFC 862 echo, through the device's faults.
pub(crate) async fn echo(socket: Arc<UdpSocket>, line: Arc<Line>) {
    let mut datagram = vec![0; LONGEST_DATAGRAM];
    loop {
        let Ok((len, from)) = socket.recv_from(&mut datagram).await else {
            continue;
        };
        if !line.loses() {
            line.deliver(&socket, &datagram[..len], from).await;
        }
    }
}

/// Requests of a client by request id: kind, and the names asked for.
type Asked = Arc<Mutex<HashMap<i32, Question>>>;

struct Question {
    /// Number of varbinds that are asked once.
    once: usize,
    names: Vec<Vec<u8>>,
}

/// One client and its way to the agent.
struct Client {
    to_agent: Arc<UdpSocket>,
    asked: Asked,
    answers: JoinHandle<()>,
    heard: u64,
}

/// Carries requests from the device's address to its agent and answers back.
pub(crate) async fn relay(front: Arc<UdpSocket>, agent: SocketAddr, line: Arc<Line>) {
    let mut clients: HashMap<SocketAddr, Client> = HashMap::new();
    let mut datagram = vec![0; LONGEST_DATAGRAM];
    let mut heard = 0;
    loop {
        let Ok((len, from)) = front.recv_from(&mut datagram).await else {
            continue;
        };
        if line.loses() {
            continue;
        }
        heard += 1;
        if !clients.contains_key(&from) {
            make_room(&mut clients);
            match client(&front, agent, from, &line).await {
                Ok(client) => {
                    clients.insert(from, client);
                }
                Err(why) => {
                    tracing::warn!(client = %from, %why, "no socket for this client, its request is lost");
                    continue;
                }
            }
        }
        let Some(client) = clients.get_mut(&from) else {
            continue;
        };
        client.heard = heard;
        if line.fault() == Some(Fault::NonIncreasing) {
            remember(&client.asked, &datagram[..len]);
        }
        let _ = client.to_agent.send(&datagram[..len]).await;
    }
}

fn make_room(clients: &mut HashMap<SocketAddr, Client>) {
    if clients.len() < MOST_CLIENTS {
        return;
    }
    let oldest = clients.iter().min_by_key(|(_, client)| client.heard);
    if let Some(client) = oldest.map(|(at, _)| *at).and_then(|at| clients.remove(&at)) {
        client.answers.abort();
    }
}

async fn client(
    front: &Arc<UdpSocket>,
    agent: SocketAddr,
    from: SocketAddr,
    line: &Arc<Line>,
) -> std::io::Result<Client> {
    let to_agent = Arc::new(UdpSocket::bind((agent.ip(), 0)).await?);
    to_agent.connect(agent).await?;
    let asked = Asked::default();
    let answers = tokio::spawn(answers(to_agent.clone(), front.clone(), from, line.clone(), asked.clone()));
    Ok(Client { to_agent, asked, answers, heard: 0 })
}

async fn answers(
    agent: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    client: SocketAddr,
    line: Arc<Line>,
    asked: Asked,
) {
    let mut datagram = vec![0; LONGEST_DATAGRAM];
    let mut spoilt = Vec::new();
    loop {
        let Ok(len) = agent.recv(&mut datagram).await else {
            continue;
        };
        let answer = &datagram[..len];
        let edited = line.fault().is_some_and(|fault| spoil(&fault, answer, &asked, &mut spoilt));
        let answer = if edited { &spoilt[..] } else { answer };
        line.deliver(&front, answer, client).await;
    }
}

fn remember(asked: &Asked, datagram: &[u8]) {
    let Some(request) = Message::read(datagram) else {
        return;
    };
    if request.pdu != GET_NEXT && request.pdu != GET_BULK {
        return;
    }
    let once = if request.pdu == GET_BULK { usize::try_from(request.first).unwrap_or(0) } else { 0 };
    let names = request.varbinds().map(|(name, _)| name.to_vec()).collect();
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    if asked.len() >= MOST_ASKED {
        asked.clear();
    }
    asked.insert(request.request_id, Question { once, names });
}

/// Edits an answer into `out`; `false` if this fault leaves it as it is.
fn spoil(fault: &Fault, answer: &[u8], asked: &Asked, out: &mut Vec<u8>) -> bool {
    let Some(message) = Message::read(answer).filter(|message| message.pdu == RESPONSE) else {
        return false;
    };
    match fault {
        Fault::WrongCommunity => {
            let community = OTHER_COMMUNITY;
            Message { community, ..message }.write(out);
            true
        }
        Fault::TooBig(most) if answer.len() > *most => {
            // v1 would repeat the request's varbinds; those of the answer are as many.
            let varbinds = if message.version == V1 { message.varbinds } else { &[] };
            let refusal = Message { first: TOO_BIG, second: 0, varbinds, ..message };
            refusal.write(out);
            true
        }
        Fault::NonIncreasing => {
            let question = {
                let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.remove(&message.request_id)
            };
            question.is_some_and(|question| turn_back(&message, &question, out))
        }
        _ => false,
    }
}

/// Gives the last varbind the name that its column was asked from.
fn turn_back(message: &Message<'_>, question: &Question, out: &mut Vec<u8>) -> bool {
    let varbinds: Vec<_> = message.varbinds().collect();
    let columns = question.names.len().saturating_sub(question.once);
    let Some(last) = varbinds.len().checked_sub(1 + question.once) else {
        return false;
    };
    if columns == 0 {
        return false;
    }
    let back = &question.names[question.once + last % columns];
    let mut list = Vec::with_capacity(message.varbinds.len() + 16);
    for (at, (name, value)) in varbinds.iter().enumerate() {
        let name = if at + 1 == varbinds.len() { &back[..] } else { name };
        ber::put_head(&mut list, ber::SEQUENCE, ber::head_len(name.len()) + name.len() + value.len());
        ber::put(&mut list, ber::IDENTIFIER, name);
        list.extend_from_slice(value);
    }
    let varbinds = &list[..];
    Message { varbinds, ..message.clone() }.write(out);
    true
}
