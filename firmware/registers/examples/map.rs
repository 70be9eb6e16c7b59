//! Prints `MAP.md`: `cargo run -q -p roundsman-registers --example map > firmware/registers/MAP.md`.

use std::io::Write;

use roundsman_registers::{MAP_CURRENT, MAP_MIN, POINTS, Space};

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(text().as_bytes())
}

/// The document.
pub fn text() -> String {
    let mut out = format!(
        "# 探测板点表 / Register map of the probe board\n\n\
         版本 {MAP_CURRENT}，最低兼容版本 {MAP_MIN}。地址从 0 计；双寄存器高字在前；空白地址读为 0。\n\
         Version {MAP_CURRENT}, answered down to {MAP_MIN}. Addresses count from 0; two registers have the high word \
         first; unlisted input registers up to 79 read 0. Printed by `--example map`; a test compares it.\n"
    );
    let spaces = [
        (Space::Input, "输入寄存器 / Input registers (FC 4)"),
        (Space::Discrete, "离散输入 / Discrete inputs (FC 2)"),
        (Space::Coil, "线圈 / Coils (FC 1, 5, 15)"),
        (Space::Holding, "保持寄存器 / Holding registers (FC 3, 6, 16, 22, 23)"),
    ];
    for (space, title) in spaces {
        out += &format!(
            "\n## {title}\n\n| 地址 address | 名称 name | 含义 | meaning | 类型 type | ÷ | 单位 unit | 失效值 sentinel | 可写 writable | since |\n|---|---|---|---|---|---|---|---|---|---|\n"
        );
        for point in POINTS.iter().filter(|point| point.space == space) {
            let sentinel = point.sentinel.map(|word| format!("0x{word:04X}")).unwrap_or_default();
            let writable = point.writable.map(|(least, most)| format!("{least}…{most}")).unwrap_or_default();
            out += &format!(
                "| {} | `{}` | {} | {} | {:?} | {} | {} | {sentinel} | {writable} | {} |\n",
                point.address,
                point.name,
                point.zh,
                point.en,
                point.kind,
                point.divisor,
                point.unit,
                point.since
            );
        }
    }
    out
}
