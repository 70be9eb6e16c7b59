//! `text` and requests in lines.

use super::pattern::{self, line, patterns, refusals, template};
use super::{read_awaits, short_ms};
use crate::bus::Dialogue;
use crate::diagnostic::{Diagnostic, Findings};
use crate::document::{Fields, Node};
use crate::schema::value::note_choice;
use roundsman_wire::text::opening::Turn;
use roundsman_wire::text::pattern::Item;
use roundsman_wire::text::{Layout, Pattern, Request, Sign};
use std::sync::Arc;

/// Most steps of a dialogue.
const MOST_TURNS: usize = 16;

/// How all lines look, and the dialogue before the first request.
pub(super) fn layout(
    node: &Node,
    names: &[Arc<str>],
    found: &mut Findings,
) -> Option<(Arc<Layout>, Option<Dialogue>)> {
    let mut fields = Fields::of(node, "`text`", found)?;
    let ends_node = fields.must("ends", found);
    let ends = ends_node.and_then(|node| texts(node, found));
    let sent_end = fields.maybe("sends").map_or(Some(None), |node| node.text(found).map(Some));
    let prompts = fields.maybe("prompts").map_or(Some(Vec::new()), |node| texts(node, found));
    let echoes = fields.maybe("echo").map_or(Some(false), |node| node.boolean(found));
    let parse = |text: &str| line(text, names);
    let denied = fields.maybe("denied").map_or(Some(Vec::new()), |node| patterns(node, parse, found));
    let turns = read_turns(&mut fields, found);
    let sign = fields.maybe("sign").map_or(Some(None), |node| match node.text(found)? {
        "pjlink-md5" => Some(Some(Sign::PjlinkMd5)),
        other => {
            note_choice(node, "a signature", other, &["pjlink-md5"], found);
            None
        }
    });
    let sign_at = fields.maybe("sign").map(|node| node.at.clone());
    fields.finish(found);
    let (ends, sign, turns) = (ends?, sign?, turns?);
    let catches = |pattern: &Pattern| {
        pattern.0.iter().any(|item| matches!(item, Item::Capture(name, _) if &**name == "nonce"))
    };
    if let (Some(at), false) = (sign_at, turns.iter().flat_map(|turn| &turn.awaits).any(catches)) {
        let what = "the digest is made over a nonce that the dialogue never catches";
        found.note(Diagnostic::new(&at, what).hint("open = [{ await = [\"PJLINK 1 {nonce}\"] }]"));
        return None;
    }
    let sent_end = sent_end?.map_or_else(|| ends[0].clone(), |text| text.as_bytes().to_vec());
    let layout = Layout { sent_end, ends, prompts: prompts?, echoes: echoes?, denied: denied? };
    let dialogue = (!turns.is_empty()).then(|| Dialogue { turns: turns.into(), sign });
    Some((Arc::new(layout), dialogue))
}

/// One text or several, none of them empty.
fn texts(node: &Node, found: &mut Findings) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for node in pattern::one_or_more(node) {
        let text = node.text(found)?;
        if text.is_empty() || text.len() > 64 {
            found.note(
                Diagnostic::new(&node.at, "1 to 64 characters are expected").hint("such as \"\\r\\n\""),
            );
            return None;
        }
        all.push(text.as_bytes().to_vec());
    }
    if all.is_empty() {
        found.note(Diagnostic::new(&node.at, "at least one is expected"));
        return None;
    }
    Some(all)
}

fn read_turns(fields: &mut Fields<'_>, found: &mut Findings) -> Option<Vec<Turn>> {
    let nodes = fields.items("open", found);
    if nodes.len() > MOST_TURNS {
        found.note(Diagnostic::new(
            fields.at(),
            format!("more than {MOST_TURNS} steps before the first request"),
        ));
    }
    let credentials: [Arc<str>; 2] = [Arc::from("user"), Arc::from("password")];
    let mut turns = Vec::new();
    for node in nodes.iter().take(MOST_TURNS) {
        let mut fields = Fields::of(node, "a step of the dialogue", found)?;
        let awaits = fields.maybe("await");
        let awaits = awaits.map_or(Some(Vec::new()), |node| patterns(node, |text| line(text, &[]), found));
        let say = fields.maybe("say").map_or(Some(None), |node| {
            pattern::pattern(node, |text| template(text, &credentials), found).map(Some)
        });
        fields.finish(found);
        let turn = Turn { awaits: awaits?, say: say? };
        if turn.awaits.is_empty() && turn.say.is_none() {
            found.note(Diagnostic::new(&node.at, "this step neither waits nor says anything"));
            return None;
        }
        turns.push(turn);
    }
    Some(turns)
}

/// A request of a poll.
pub(super) fn request(
    node: &Node,
    names: &[Arc<str>],
    timeout_ms: u32,
    must_answer: bool,
    found: &mut Findings,
) -> Option<Request> {
    let mut fields = Fields::of(node, "a request", found)?;
    let request = keys(&mut fields, names, timeout_ms, must_answer, found);
    fields.finish(found);
    request
}

/// The keys of a request, or of a command that is one.
pub(super) fn keys(
    fields: &mut Fields<'_>,
    names: &[Arc<str>],
    timeout_ms: u32,
    must_answer: bool,
    found: &mut Findings,
) -> Option<Request> {
    let parse = |text: &str| line(text, names);
    let send = fields.must("send", found);
    let send = send.and_then(|node| pattern::pattern(node, |text| template(text, names), found));
    let ack_node = if must_answer { fields.must("ack", found) } else { fields.maybe("ack") };
    let ack = ack_node.map_or(Some(Vec::new()), |node| patterns(node, parse, found));
    let nak = fields.maybe("nak").map_or(Some(Vec::new()), |node| refusals(node, parse, found));
    let until = fields.maybe("until");
    let until = until.map_or(Some(None), |node| pattern::pattern(node, parse, found).map(Some));
    let timeout_ms = short_ms(fields, "timeout", found).unwrap_or(timeout_ms);
    let rest_ms = short_ms(fields, "pacing", found).unwrap_or(0);
    let awaits = read_awaits(fields, ack_node.is_some(), found);
    if must_answer {
        ack_node?;
    }
    Some(Request { send: send?, ack: ack?, nak: nak?, until: until?, awaits: awaits?, timeout_ms, rest_ms })
}
