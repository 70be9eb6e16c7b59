//! Errors of the API as problem details (RFC 9457).

use crate::site::{ActionError, Kept, Unavailable};
use crate::voice::Voice;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use roundsman_core::fault::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

/// An error, said to people and to programs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind, stable: `urn:roundsman:problem:…`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Short, in the asker's language.
    pub(crate) title: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// What to check or do next, in the asker's language.
    pub(crate) detail: String,
    /// The fields that do not fit, each with the reason; left out where no field is to blame.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldProblem>,
}

impl Problem {
    /// The same as an answer that is kept for its key.
    pub(crate) fn kept(&self) -> Kept {
        Kept { status: self.status, body: serde_json::to_string(self).unwrap_or_default() }
    }
}

/// A field that does not fit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// Its name in the request.
    field: String,
    /// Why, in the asker's language.
    detail: String,
}

/// Kinds of problems with their status, titles and advice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    NoSuchDevice,
    NoSuchSeries,
    NoSuchFault,
    NoSuchRecord,
    NoSuchWeek,
    BadReportQuery,
    NoSuchPath,
    WrongMethod,
    BadQuery,
    BadHistoryQuery,
    BadRecordQuery,
    BadBody,
    BadRecord,
    KeyReused,
    TooManyAmendments,
    BadKey,
    TokenMissing,
    TokenWrong,
    AlreadyAcknowledged,
    AlreadyOnSite,
    NotShelved,
    NotClosable,
    NotOpen,
    BadAct,
    TooLarge,
    TooLong,
    TooSlow,
    TooManyWatchers,
    CommandRefused,
    CommandUnderWay,
    StoreUnavailable,
}

impl Kind {
    fn parts(self) -> (u16, &'static str, [&'static str; 4]) {
        match self {
            Kind::NoSuchDevice => (
                404,
                "no-such-device",
                [
                    "设备不存在",
                    "No such device",
                    "请核对设备编号，见 GET /api/v1/devices。",
                    "Check the id; GET /api/v1/devices lists them.",
                ],
            ),
            Kind::NoSuchSeries => (
                404,
                "no-such-series",
                [
                    "没有该测点的历史",
                    "No history of this point",
                    "请核对 metric 与 instance，见 GET /api/v1/devices/{id}/readings；原始计数器不留历史，只留其速率。",
                    "Check metric and instance; GET /api/v1/devices/{id}/readings lists them. Raw counters have none, \
                     their rates do.",
                ],
            ),
            Kind::NoSuchFault => (
                404,
                "no-such-fault",
                [
                    "故障不存在",
                    "No such fault",
                    "请核对故障编号，见 GET /api/v1/faults?state=all。",
                    "Check the id; GET /api/v1/faults?state=all lists them.",
                ],
            ),
            Kind::NoSuchRecord => (
                404,
                "no-such-record",
                [
                    "维保记录不存在",
                    "No such maintenance record",
                    "请核对单号（如 M-2026-0042），见 GET /api/v1/records。",
                    "Check the number (such as M-2026-0042); GET /api/v1/records lists them.",
                ],
            ),
            Kind::NoSuchWeek => (
                404,
                "no-such-week",
                [
                    "没有这一周的周报",
                    "No summary of that week",
                    "该周不存在或尚未开始。周次写作 2026-W47；已有的周报见“报告”页。",
                    "The week does not exist or has not begun. A week is written 2026-W47; the page of reports lists them.",
                ],
            ),
            Kind::BadReportQuery => (
                400,
                "bad-report-query",
                [
                    "查询参数有误",
                    "Bad query",
                    "week 为 ISO 周，如 2026-W47，默认为上一整周；language 取 zh-CN 或 en；format 取 json 或 html。",
                    "week is an ISO week such as 2026-W47 (default: the last whole one); language zh-CN or en; format json or html.",
                ],
            ),
            Kind::NoSuchPath => (
                404,
                "no-such-path",
                [
                    "路径不存在",
                    "No such path",
                    "接口说明见 /api/openapi.json。",
                    "/api/openapi.json describes the API.",
                ],
            ),
            Kind::WrongMethod => (
                405,
                "wrong-method",
                [
                    "方法不允许",
                    "Method not allowed",
                    "接口说明见 /api/openapi.json。",
                    "/api/openapi.json describes the API.",
                ],
            ),
            Kind::BadQuery => (
                400,
                "bad-query",
                [
                    "查询参数有误",
                    "Bad query",
                    "state 取 open、closed 或 all；limit 取 1 至 1000；before 为故障编号。",
                    "state is open, closed or all; limit 1 to 1000; before a fault id.",
                ],
            ),
            Kind::BadHistoryQuery => (
                400,
                "bad-history-query",
                [
                    "查询参数有误",
                    "Bad query",
                    "metric 必填；from、to 为 RFC 3339 时间，from 早于 to，缺省为最近 24 小时；points 取 1 至 2000。",
                    "metric is needed; from and to are RFC 3339, from before to, the last 24 hours by default; points \
                     1 to 2000.",
                ],
            ),
            Kind::BadRecordQuery => (
                400,
                "bad-record-query",
                [
                    "查询参数有误",
                    "Bad query",
                    "kind 为类别；from、to 为日期或 RFC 3339 时间；fault 为故障编号；before 为单号；limit 取 1 至 200。",
                    "kind is a kind; from and to a day or RFC 3339; fault a fault id; before a number; limit 1 to 200.",
                ],
            ),
            Kind::BadBody => (
                400,
                "bad-body",
                [
                    "请求正文有误",
                    "Bad body",
                    "正文须为 JSON 对象，接口说明见 /api/openapi.json。",
                    "The body must be a JSON object; /api/openapi.json describes it.",
                ],
            ),
            Kind::BadRecord => (
                422,
                "bad-record",
                [
                    "填写有误，未保存",
                    "Not saved: something does not fit",
                    "请按提示修改后重新提交。",
                    "Correct it as said and send it again.",
                ],
            ),
            Kind::KeyReused => (
                409,
                "key-reused",
                [
                    "该 Idempotency-Key 已用于其他内容",
                    "This Idempotency-Key was used for something else",
                    "上一次提交已保存。请先查看记录列表，确需另存时再次提交。",
                    "The earlier one was saved. Look at the list first; send again if another one is wanted.",
                ],
            ),
            Kind::TooManyAmendments => (
                409,
                "too-many-amendments",
                [
                    "该记录的更正次数已达上限",
                    "No more amendments",
                    "每份记录最多更正 200 次，请新建记录。",
                    "A record takes 200 amendments; write another record.",
                ],
            ),
            Kind::CommandUnderWay => (
                409,
                "command-under-way",
                [
                    "命令正在执行，或结果不明",
                    "Under way, or its outcome is unknown",
                    "同一请求已下发且尚无结果；若服务曾中途停止，请先查看操作记录和设备状态，再决定是否重新执行。",
                    "The same request was sent and has no outcome yet; if the service ended meanwhile, look at the record of commands and at the device before giving it anew.",
                ],
            ),
            Kind::CommandRefused => (
                409,
                "command-refused",
                [
                    "命令未下发",
                    "Command not sent",
                    "请核对命令、参数和设备状态，见 roundsman profile show。",
                    "Check the command, its arguments and the device's state; see roundsman profile show.",
                ],
            ),
            Kind::BadKey => (
                400,
                "bad-idempotency-key",
                [
                    "Idempotency-Key 有误",
                    "Bad Idempotency-Key",
                    "须为 1 至 128 个可见 ASCII 字符。",
                    "It must be 1 to 128 visible ASCII characters.",
                ],
            ),
            Kind::TokenMissing => (
                401,
                "token-missing",
                [
                    "需要令牌",
                    "Token needed",
                    "请携带启动时打印的令牌：Authorization: Bearer …",
                    "Send the token printed at start: Authorization: Bearer …",
                ],
            ),
            Kind::TokenWrong => (
                403,
                "token-wrong",
                [
                    "令牌不正确",
                    "Wrong token",
                    "请使用本次启动时打印的令牌。",
                    "Use the token printed at this start.",
                ],
            ),
            Kind::AlreadyAcknowledged => (
                409,
                "already-acknowledged",
                [
                    "该故障已确认",
                    "Already acknowledged",
                    "无需再次确认，刷新后可见确认人。",
                    "Nothing left to do; reload to see who did it.",
                ],
            ),
            Kind::AlreadyOnSite => (
                409,
                "already-on-site",
                [
                    "已有人到场",
                    "Somebody is on site already",
                    "无需再次登记，刷新后可见到场人。",
                    "Nothing left to do; reload to see who is there.",
                ],
            ),
            Kind::NotShelved => (
                409,
                "not-shelved",
                [
                    "该故障未搁置",
                    "Not shelved",
                    "搁置可能已到期，刷新后可见当前状态。",
                    "Its time may be over; reload to see how it stands.",
                ],
            ),
            Kind::BadAct => (
                400,
                "bad-act",
                [
                    "提交的内容有误",
                    "Something is missing or wrong",
                    "指派须填姓名（40 字以内）；搁置须填原因（200 字以内）和时长（1 至 480 分钟）。",
                    "To assign takes a name of at most 40 characters; to shelve a reason of at most 200 and a time of 1 to 480 minutes.",
                ],
            ),
            Kind::NotClosable => (
                409,
                "not-closable",
                [
                    "该故障不能关闭",
                    "Cannot be closed",
                    "故障条件尚未消除，或该规则恢复后自动关闭。",
                    "Its condition is not over, or its rule clears by itself.",
                ],
            ),
            Kind::NotOpen => (
                409,
                "not-open",
                [
                    "该故障已结束",
                    "Already over",
                    "只有未结束的故障可以处理。",
                    "Only open faults can be acted on.",
                ],
            ),
            Kind::TooLarge => (
                413,
                "too-large",
                [
                    "请求过大",
                    "Request too large",
                    "请求正文上限为 64 KiB。",
                    "The body may have 64 KiB at most.",
                ],
            ),
            Kind::TooLong => (
                414,
                "too-long",
                [
                    "地址过长",
                    "URL too long",
                    "地址上限为 2048 个字符。",
                    "The URL may have 2,048 characters at most.",
                ],
            ),
            Kind::TooSlow => (
                503,
                "too-slow",
                [
                    "处理超时",
                    "Took too long",
                    "系统繁忙，请稍后再试。",
                    "The system is busy; try again shortly.",
                ],
            ),
            Kind::TooManyWatchers => (
                503,
                "too-many-watchers",
                [
                    "实时连接已满",
                    "Too many live connections",
                    "请关闭不用的页面，稍后自动重连。",
                    "Close pages that are not needed; it reconnects shortly.",
                ],
            ),
            Kind::StoreUnavailable => (
                503,
                "store-unavailable",
                [
                    "数据库暂不可用",
                    "Store not available",
                    "操作未生效。请检查磁盘空间与日志后重试。",
                    "Nothing was changed. Check disk space and the log, then try again.",
                ],
            ),
        }
    }

    /// The same as an answer that is kept for its key.
    pub(crate) fn kept(self, voice: &Voice) -> Kept {
        self.body(voice).kept()
    }

    pub(crate) fn body(self, voice: &Voice) -> Problem {
        let (status, word, [title_zh, title_en, detail_zh, detail_en]) = self.parts();
        Problem {
            kind: format!("urn:roundsman:problem:{word}"),
            title: voice.say(title_zh, title_en).to_owned(),
            status,
            detail: voice.say(detail_zh, detail_en).to_owned(),
            errors: Vec::new(),
        }
    }

    /// The same, naming the fields that are to blame: their names and the reasons.
    pub(crate) fn naming(self, fields: Vec<(String, String)>, voice: &Voice) -> Problem {
        let body = self.body(voice);
        let detail: Vec<&str> = fields.iter().map(|(_, why)| &**why).collect();
        let detail = detail.join(voice.say("", " "));
        let errors = fields.into_iter().map(|(field, detail)| FieldProblem { field, detail });
        Problem { detail, errors: errors.collect(), ..body }
    }

    pub(crate) fn answer(self, voice: &Voice) -> Response {
        self.body(voice).into_response()
    }

    /// The store's own words go to the log: they name files, which are not a visitor's business.
    pub(crate) fn unavailable(why: &Unavailable) -> Kind {
        tracing::error!(reason = why.0, "the store could not answer the panel");
        Kind::StoreUnavailable
    }

    pub(crate) fn of(error: &ActionError) -> Kind {
        match error {
            ActionError::Refused(Refusal::NoSuchFault) => Kind::NoSuchFault,
            ActionError::Refused(Refusal::AlreadyAcknowledged) => Kind::AlreadyAcknowledged,
            ActionError::Refused(Refusal::NotClosable) => Kind::NotClosable,
            ActionError::Refused(Refusal::AlreadyOnSite) => Kind::AlreadyOnSite,
            ActionError::Refused(Refusal::NotShelved) => Kind::NotShelved,
            ActionError::Refused(Refusal::ShelfTooLong) => Kind::BadAct,
            ActionError::Unavailable(why) => Kind::unavailable(why),
        }
    }
}

/// Media type of every problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, axum::http::HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, axum::http::HeaderValue::from_static("5"));
        }
        response
    }
}
