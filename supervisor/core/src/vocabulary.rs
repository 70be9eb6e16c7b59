//! Words of states: what profiles and the program call them in kebab case, and what people read.
//!
//! The words are the field's own (IF-MIB RFC 2863, UPS-MIB RFC 1628, ENTITY-STATE, Printer-MIB RFC 3805, …), so one
//! list serves all profiles; a test in the panel finds words of shipped profiles that are missing here. A word that is
//! in no list is shown as it is.

use crate::text::Bilingual;

/// Sorted by the word.
const WORDS: &[(&str, &str, &str)] = &[
    ("abnormal", "异常", "abnormal"),
    ("aborted", "已中止", "aborted"),
    ("absent", "未安装", "absent"),
    ("active", "运行", "active"),
    ("av", "AV 输入", "AV"),
    ("av-2", "AV 输入 2", "AV 2"),
    ("banding", "打包带", "banding"),
    ("battery", "电池供电", "on battery"),
    ("binding", "装订材料", "binding supply"),
    ("bnc", "BNC 输入", "BNC"),
    ("booster", "升压", "booster"),
    ("bypass", "旁路", "bypass"),
    ("characters", "字符", "characters"),
    ("cleaner", "清洁件", "cleaner"),
    ("closed", "关闭", "closed"),
    ("component", "分量输入", "component"),
    ("consumed", "消耗型", "consumed"),
    ("cooling", "冷却中", "cooling down"),
    ("corona-wire", "电晕丝", "corona wire"),
    ("covers", "封面", "covers"),
    ("dangerous", "存在风险", "dangerous"),
    ("depleted", "耗尽", "depleted"),
    ("developer", "显影剂", "developer"),
    ("digital", "数字输入", "digital"),
    ("disabled", "未启用", "disabled"),
    ("display-port", "DisplayPort 输入", "DisplayPort"),
    ("dormant", "休眠", "dormant"),
    ("dot-rows", "点行", "dot rows"),
    ("down", "中断", "down"),
    ("drum", "感光鼓", "drum"),
    ("dvi", "DVI 输入", "DVI"),
    ("dvi-video", "DVI 视频", "DVI video"),
    ("enabled", "已启用", "enabled"),
    ("failed", "未通过", "failed"),
    ("fan-error", "风扇故障", "fan error"),
    ("fan-fold", "折叠纸", "fan-fold paper"),
    ("fault", "故障", "fault"),
    ("feet", "英尺", "feet"),
    ("filled", "收集型", "filled up"),
    ("fixed", "固定", "fixed"),
    ("forwarding", "转发", "forwarding"),
    ("fuser", "定影器", "fuser"),
    ("fuser-cleaning-pad", "定影清洁垫", "fuser cleaning pad"),
    ("fuser-oil", "定影油", "fuser oil"),
    ("fuser-oil-wick", "定影油芯", "fuser oil wick"),
    ("fuser-oiler", "定影注油器", "fuser oiler"),
    ("glue", "胶", "glue"),
    ("hardware-faulty", "硬件故障", "hardware faulty"),
    ("hdmi-1", "HDMI 1 输入", "HDMI 1"),
    ("hdmi-1-pc", "HDMI 1（电脑）", "HDMI 1, PC"),
    ("hdmi-2", "HDMI 2 输入", "HDMI 2"),
    ("hdmi-2-pc", "HDMI 2（电脑）", "HDMI 2, PC"),
    ("hdmi-3", "HDMI 3 输入", "HDMI 3"),
    ("hdmi-3-pc", "HDMI 3（电脑）", "HDMI 3, PC"),
    ("hours", "小时", "hours"),
    ("idle", "空闲", "idle"),
    ("impressions", "印数", "impressions"),
    ("in-progress", "进行中", "in progress"),
    ("in-session", "会议中", "in session"),
    ("inactive", "停止", "inactive"),
    ("ink", "墨水", "ink"),
    ("ink-cartridge", "墨盒", "ink cartridge"),
    ("ink-ribbon", "色带", "ink ribbon"),
    ("inserts", "插页", "inserts"),
    ("interlock-closed", "联锁闭合", "interlock closed"),
    ("interlock-open", "联锁断开", "interlock open"),
    ("lines", "行", "lines"),
    ("low", "不足", "low"),
    ("lower-layer-down", "下层中断", "lower layer down"),
    ("magic-info", "信息发布", "MagicInfo"),
    ("manual", "手动", "manual"),
    ("meters", "米", "metres"),
    ("micrometers", "微米", "micrometres"),
    ("module-faulty", "模块故障", "module faulty"),
    ("muted", "静音黑屏", "muted"),
    ("network", "网络输入", "network"),
    ("no", "否", "no"),
    ("no-signal", "无信号", "no signal"),
    ("none", "无", "none"),
    ("normal", "正常", "normal"),
    ("not-forwarding", "不转发", "not forwarding"),
    ("not-operational", "故障", "not operational"),
    ("not-present", "未插入", "not present"),
    ("not-supplying", "未供电", "not supplying"),
    ("not-supported", "不支持", "not supported"),
    ("off", "关", "off"),
    ("offline", "离线", "offline"),
    ("ok", "正常", "OK"),
    ("on", "开", "on"),
    ("open", "打开", "open"),
    ("other", "其他", "other"),
    ("override", "后进先出", "override"),
    ("paper-wrap", "包装纸", "paper wrap"),
    ("passed", "通过", "passed"),
    ("picture-muted", "黑屏", "picture muted"),
    ("poe-error", "PoE 故障", "PoE error"),
    ("post-failure", "自检失败", "self-test failed"),
    ("power-error", "电源故障", "power error"),
    ("present", "在位", "present"),
    ("printing", "打印中", "printing"),
    ("reducer", "降压", "reducer"),
    ("removable", "可拆卸", "removable"),
    ("request", "申请发言", "on request"),
    ("ribbon-wax", "蜡带", "wax ribbon"),
    ("roll", "卷纸", "roll"),
    ("rps-error", "冗余电源故障", "redundant power error"),
    ("running", "运行", "running"),
    ("s-video", "S 端子", "S-Video"),
    ("sensor-error", "传感器故障", "sensor error"),
    ("sfp-error", "光模块故障", "SFP error"),
    ("sfp-receive-error", "光模块收光故障", "SFP receive error"),
    ("sfp-send-error", "光模块发光故障", "SFP send error"),
    ("sheets", "张", "sheets"),
    ("shrink-wrap", "热缩膜", "shrink wrap"),
    ("silenced", "已消音", "silenced"),
    ("silent", "无应答", "silent"),
    ("sleeping", "休眠", "sleeping"),
    ("solid-wax", "固体蜡", "solid wax"),
    ("sound-muted", "静音", "sound muted"),
    ("stack-error", "堆叠故障", "stack error"),
    ("stack-port-blocked", "堆叠口阻塞", "stack port blocked"),
    ("stack-port-failed", "堆叠口故障", "stack port failed"),
    ("standby", "待机", "standby"),
    ("staples", "订书钉", "staples"),
    ("stitching-wire", "装订线", "stitching wire"),
    ("storage", "存储输入", "storage"),
    ("supplying", "供电", "supplying"),
    ("ten-thousandths-of-inches", "万分之一英寸", "ten-thousandths of an inch"),
    ("testing", "测试", "testing"),
    ("toner", "碳粉", "toner"),
    ("toner-cartridge", "碳粉盒", "toner cartridge"),
    ("transfer-unit", "转印单元", "transfer unit"),
    ("unavailable", "不可用", "unavailable"),
    ("unknown", "未知", "unknown"),
    ("up", "启用", "up"),
    ("uplink", "上联", "uplink"),
    ("vga", "VGA 输入", "VGA"),
    ("video", "视频输入", "video"),
    ("voice", "声控", "voice"),
    ("warmup", "预热", "warming up"),
    ("warning", "告警", "warning"),
    ("waste-ink", "废墨", "waste ink"),
    ("waste-paper", "废纸", "waste paper"),
    ("waste-toner", "废粉", "waste toner"),
    ("waste-water", "废水", "waste water"),
    ("waste-wax", "废蜡", "waste wax"),
    ("water", "水", "water"),
    ("yes", "是", "yes"),
];

/// What people read for a state's word, if the list has it.
pub fn state(word: &str) -> Option<Bilingual> {
    let at = WORDS.binary_search_by_key(&word, |(known, _, _)| known).ok()?;
    let (_, zh, en) = WORDS[at];
    Some(Bilingual::new(zh, en))
}

/// All words of the list.
pub fn words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(word, _, _)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_and_no_other() {
        assert!(WORDS.is_sorted_by(|a, b| a.0 < b.0), "sorted, none twice");
        for (word, zh, _) in WORDS {
            assert_eq!(state(word).map(|found| found.zh), Some((*zh).into()));
        }
        assert_eq!(state("no-such-word"), None);
        assert_eq!(state(""), None);
    }
}
