//! The points, in the order of tables and addresses.

use crate::{Point, Space, Type};

/// The point that covers an address of a table.
pub fn point(space: Space, address: u16) -> Option<&'static Point> {
    POINTS.iter().find(|point| {
        point.space == space && (point.address..point.address + point.kind.width()).contains(&address)
    })
}

macro_rules! points {
    ($($name:literal $zh:literal $en:literal $space:ident $address:literal $kind:ident / $divisor:literal $unit:literal
       $sentinel:expr, $writable:expr, since $since:literal;)*) => {
        &[$(Point {
            name: $name, zh: $zh, en: $en, space: Space::$space, address: $address, kind: Type::$kind,
            divisor: $divisor, unit: $unit, sentinel: $sentinel, writable: $writable, since: $since,
        }),*]
    };
}

/// Every point of the map.
#[rustfmt::skip]
pub const POINTS: &[Point] = points! {
    "magic" "识别码" "magic number, 0x524D" Input 0 U16 / 1 "" None, None, since 1;
    "map-version" "点表版本" "map version" Input 1 U16 / 1 "" None, None, since 1;
    "map-version-min" "兼容的最低点表版本" "oldest map version still answered" Input 2 U16 / 1 "" None, None, since 1;
    "board" "板型：1 仿真，2 主机演示，3 Pico" "board: 1 emulated, 2 host, 3 Pico" Input 3 U16 / 1 "" None, None, since 1;
    "serial" "序列号" "serial number" Input 4 U32 / 1 "" None, None, since 1;
    "firmware" "固件版本，高字节主版本，低字节次版本" "firmware version, major in the high octet, minor in the low" Input 6 U16 / 1 "" None, None, since 1;
    "firmware-patch" "固件修订号" "firmware patch level" Input 7 U16 / 1 "" None, None, since 1;
    "uptime" "运行时长" "time since reset" Input 8 U32 / 1 "s" None, None, since 1;
    "reset-cause" "复位原因：0 不明，1 上电，2 看门狗，3 软件，4 引脚，5 欠压" "reset cause: 0 unknown, 1 power, 2 watchdog, 3 software, 4 pin, 5 brown-out" Input 10 U16 / 1 "" None, None, since 1;
    "alarm-low" "越下限告警，第 n 位为第 n 通道" "below the low limit, bit n for channel n" Input 11 U16 / 1 "" None, None, since 1;
    "alarm-high" "越上限告警，第 n 位为第 n 通道" "above the high limit, bit n for channel n" Input 12 U16 / 1 "" None, None, since 1;
    "alarm-other" "其他告警：位 0 漏水，1 门开，2 市电中断，3 心跳中断，4 传感器失效，5 配置异常" "other alarms: bit 0 leak, 1 door, 2 mains, 3 heartbeat, 4 sensor, 5 configuration" Input 13 U16 / 1 "" None, None, since 1;
    "watchdog" "看门狗：位 0 已启用，1 采样正常，2 通信正常" "watchdog: bit 0 armed, 1 sampling alive, 2 slave alive" Input 14 U16 / 1 "" None, None, since 1;
    "heartbeat-age" "距上次心跳" "time since the last heartbeat" Input 15 U16 / 1 "s" None, None, since 1;
    "heartbeat-echo" "最近心跳值" "last heartbeat" Input 16 U16 / 1 "" None, None, since 1;
    "config-generation" "配置保存序号" "generation of the saved configuration" Input 17 U16 / 1 "" None, None, since 1;
    "temperature-1" "温度 1" "temperature 1" Input 20 I16 / 10 "Cel" Some(0x8000), None, since 1;
    "temperature-2" "温度 2" "temperature 2" Input 21 I16 / 10 "Cel" Some(0x8000), None, since 1;
    "humidity-1" "相对湿度 1" "relative humidity 1" Input 22 U16 / 10 "%" Some(0xffff), None, since 1;
    "humidity-2" "相对湿度 2" "relative humidity 2" Input 23 U16 / 10 "%" Some(0xffff), None, since 1;
    "pm2.5" "PM2.5" "PM2.5" Input 24 U16 / 1 "ug/m3" Some(0xffff), None, since 1;
    "pm10" "PM10" "PM10" Input 25 U16 / 1 "ug/m3" Some(0xffff), None, since 1;
    "supply-12" "12 V 供电" "12 V supply" Input 26 U16 / 100 "V" Some(0xffff), None, since 1;
    "supply-48" "48 V 供电" "48 V supply" Input 27 U16 / 100 "V" Some(0xffff), None, since 1;
    "current" "12 V 电流" "12 V current" Input 28 U16 / 1000 "A" Some(0xffff), None, since 1;
    "fan-1" "风扇 1 转速" "fan 1" Input 29 U16 / 1 "/min" Some(0xffff), None, since 1;
    "fan-2" "风扇 2 转速" "fan 2" Input 30 U16 / 1 "/min" Some(0xffff), None, since 1;
    "fan-3" "风扇 3 转速" "fan 3" Input 31 U16 / 1 "/min" Some(0xffff), None, since 1;
    "fan-4" "风扇 4 转速" "fan 4" Input 32 U16 / 1 "/min" Some(0xffff), None, since 1;
    "airflow" "风速" "air flow" Input 33 U16 / 100 "m/s" Some(0xffff), None, since 1;
    "temperature-1-quality" "温度 1 数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "temperature 1, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 40 U16 / 1 "" None, None, since 1;
    "temperature-2-quality" "温度 2 数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "temperature 2, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 41 U16 / 1 "" None, None, since 1;
    "humidity-1-quality" "相对湿度 1 数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "relative humidity 1, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 42 U16 / 1 "" None, None, since 1;
    "humidity-2-quality" "相对湿度 2 数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "relative humidity 2, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 43 U16 / 1 "" None, None, since 1;
    "pm2.5-quality" "PM2.5 数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "PM2.5, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 44 U16 / 1 "" None, None, since 1;
    "pm10-quality" "PM10 数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "PM10, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 45 U16 / 1 "" None, None, since 1;
    "supply-12-quality" "12 V 供电数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "12 V supply, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 46 U16 / 1 "" None, None, since 1;
    "supply-48-quality" "48 V 供电数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "48 V supply, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 47 U16 / 1 "" None, None, since 1;
    "current-quality" "12 V 电流数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "12 V current, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 48 U16 / 1 "" None, None, since 1;
    "fan-1-quality" "风扇 1 转速数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "fan 1, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 49 U16 / 1 "" None, None, since 1;
    "fan-2-quality" "风扇 2 转速数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "fan 2, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 50 U16 / 1 "" None, None, since 1;
    "fan-3-quality" "风扇 3 转速数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "fan 3, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 51 U16 / 1 "" None, None, since 1;
    "fan-4-quality" "风扇 4 转速数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "fan 4, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 52 U16 / 1 "" None, None, since 1;
    "airflow-quality" "风速数据质量：0 正常，1 失效，2 超量程，3 预热，4 未安装" "air flow, quality: 0 ok, 1 lost, 2 out of range, 3 warming up, 4 not fitted" Input 53 U16 / 1 "" None, None, since 1;
    "frames" "正确的请求（计数，满 65536 归零）" "requests carried out (counter, wraps at 65536)" Input 60 U16 / 1 "" None, None, since 1;
    "frames-damaged" "弃掉的字节段（计数，满 65536 归零）" "runs of octets that were no frame (counter, wraps at 65536)" Input 61 U16 / 1 "" None, None, since 1;
    "exceptions" "异常应答（计数，满 65536 归零）" "exceptions answered (counter, wraps at 65536)" Input 62 U16 / 1 "" None, None, since 1;
    "frames-foreign" "其他站的报文（计数，满 65536 归零）" "frames for other units (counter, wraps at 65536)" Input 63 U16 / 1 "" None, None, since 1;
    "broadcasts" "广播（计数，满 65536 归零）" "broadcasts (counter, wraps at 65536)" Input 64 U16 / 1 "" None, None, since 1;
    "sensor-errors" "传感器读取失败（计数，满 65536 归零）" "failed sensor readings (counter, wraps at 65536)" Input 65 U16 / 1 "" None, None, since 1;
    "config-writes" "配置保存次数（计数，满 65536 归零）" "configurations saved since reset (counter, wraps at 65536)" Input 66 U16 / 1 "" None, None, since 1;
    "config-failures" "配置保存失败（计数，满 65536 归零）" "configurations that could not be saved (counter, wraps at 65536)" Input 67 U16 / 1 "" None, None, since 1;
    "discretes" "离散输入镜像，位号同地址" "discrete inputs 0 to 15 as bits" Input 70 U16 / 1 "" None, None, since 1;
    "coils" "线圈镜像，位号同地址" "coils 0 to 5 as bits" Input 71 U16 / 1 "" None, None, since 1;
    "mains" "市电正常" "mains present" Discrete 0 Bit / 1 "" None, None, since 1;
    "leak" "漏水" "leak" Discrete 1 Bit / 1 "" None, None, since 1;
    "door" "门开" "door open" Discrete 2 Bit / 1 "" None, None, since 1;
    "button" "按钮按下" "button pressed" Discrete 3 Bit / 1 "" None, None, since 1;
    "input-1" "干接点 1" "contact 1" Discrete 4 Bit / 1 "" None, None, since 1;
    "input-2" "干接点 2" "contact 2" Discrete 5 Bit / 1 "" None, None, since 1;
    "input-3" "干接点 3" "contact 3" Discrete 6 Bit / 1 "" None, None, since 1;
    "input-4" "干接点 4" "contact 4" Discrete 7 Bit / 1 "" None, None, since 1;
    "input-5" "干接点 5" "contact 5" Discrete 8 Bit / 1 "" None, None, since 1;
    "input-6" "干接点 6" "contact 6" Discrete 9 Bit / 1 "" None, None, since 1;
    "input-7" "干接点 7" "contact 7" Discrete 10 Bit / 1 "" None, None, since 1;
    "input-8" "干接点 8" "contact 8" Discrete 11 Bit / 1 "" None, None, since 1;
    "alarm" "有告警" "any alarm" Discrete 12 Bit / 1 "" None, None, since 1;
    "heartbeat-lost" "心跳中断" "heartbeat lost" Discrete 13 Bit / 1 "" None, None, since 1;
    "sensor-lost" "有传感器失效" "a sensor is lost" Discrete 14 Bit / 1 "" None, None, since 1;
    "config-fault" "配置异常" "configuration fault" Discrete 15 Bit / 1 "" None, None, since 1;
    "relay-1" "继电器 1" "relay 1" Coil 0 Bit / 1 "" None, Some((0, 1)), since 1;
    "relay-2" "继电器 2" "relay 2" Coil 1 Bit / 1 "" None, Some((0, 1)), since 1;
    "relay-3" "继电器 3" "relay 3" Coil 2 Bit / 1 "" None, Some((0, 1)), since 1;
    "relay-4" "继电器 4" "relay 4" Coil 3 Bit / 1 "" None, Some((0, 1)), since 1;
    "buzzer" "蜂鸣器：写 0 静音，写 1 鸣响" "buzzer: 0 silences, 1 sounds" Coil 4 Bit / 1 "" None, Some((0, 1)), since 1;
    "lamp" "指示灯：写 1 点亮以便寻找" "lamp: 1 lights it, to find the board" Coil 5 Bit / 1 "" None, Some((0, 1)), since 1;
    "heartbeat" "监控主机心跳，写任意值" "supervisor's heartbeat, any value" Holding 0 U16 / 1 "" None, Some((0, 65535)), since 1;
    "pulse-1" "继电器 1 脉冲；读为剩余时间" "relay 1 on for so long; reads what is left" Holding 1 U16 / 10 "s" None, Some((0, 6000)), since 1;
    "pulse-2" "继电器 2 脉冲；读为剩余时间" "relay 2 on for so long; reads what is left" Holding 2 U16 / 10 "s" None, Some((0, 6000)), since 1;
    "pulse-3" "继电器 3 脉冲；读为剩余时间" "relay 3 on for so long; reads what is left" Holding 3 U16 / 10 "s" None, Some((0, 6000)), since 1;
    "pulse-4" "继电器 4 脉冲；读为剩余时间" "relay 4 on for so long; reads what is left" Holding 4 U16 / 10 "s" None, Some((0, 6000)), since 1;
    "command" "命令：1 保存配置，2 恢复默认，3 静音，4 计数清零，5 重启" "command: 1 save, 2 defaults, 3 silence, 4 clear counters, 5 restart" Holding 5 U16 / 1 "" None, Some((1, 5)), since 1;
    "unit" "站号（保存并重启后生效）" "unit (applies after save and restart)" Holding 20 U16 / 1 "" None, Some((1, 247)), since 1;
    "baud" "波特率，百位（保存并重启后生效）" "line speed in 100 Bd (applies after save and restart)" Holding 21 U16 / 1 "" None, Some((12, 1152)), since 1;
    "sample-period" "采样周期" "time between samples" Holding 22 U16 / 1000 "s" None, Some((100, 60000)), since 1;
    "median" "中值窗口" "samples the median is taken of" Holding 23 U16 / 1 "" None, Some((1, 7)), since 1;
    "smoothing" "平滑：指数平均的移位" "smoothing: shift of the exponential mean" Holding 24 U16 / 1 "" None, Some((0, 6)), since 1;
    "warm-up" "预热时间" "time after reset before values count" Holding 25 U16 / 1 "s" None, Some((0, 600)), since 1;
    "debounce" "消抖时间" "time a contact must rest" Holding 26 U16 / 1000 "s" None, Some((5, 1000)), since 1;
    "heartbeat-timeout" "心跳超时，0 为不监视" "time without heartbeat that is an alarm, 0 for never" Holding 27 U16 / 1 "s" None, Some((0, 65534)), since 1;
    "safe-relays" "心跳中断时动作的继电器，按位" "relays that go to the safe state without a heartbeat, bits" Holding 28 U16 / 1 "" None, Some((0, 15)), since 1;
    "safe-state" "心跳中断时继电器的状态，按位" "state of these relays, bits" Holding 29 U16 / 1 "" None, Some((0, 15)), since 1;
    "boot-state" "上电时继电器的状态，按位" "state of the relays at boot, bits" Holding 30 U16 / 1 "" None, Some((0, 15)), since 1;
    "hold-off" "继电器两次动作的最短间隔" "least time between two changes of a relay" Holding 31 U16 / 10 "s" None, Some((0, 6000)), since 1;
    "alarm-outputs" "告警输出：位 0 蜂鸣器，1 指示灯" "alarms drive: bit 0 buzzer, 1 lamp" Holding 32 U16 / 1 "" None, Some((0, 3)), since 1;
    "alarm-mask" "其他告警中驱动输出的位" "bits of alarm-other that drive the outputs" Holding 33 U16 / 1 "" None, Some((0, 63)), since 1;
    "fan-pulses" "风扇每转脉冲数" "tachometer pulses of a revolution" Holding 34 U16 / 1 "" None, Some((1, 8)), since 1;
    "inverted" "反相的输入：位 0 市电，1 漏水，2 门，3 按钮，4–11 干接点" "inverted inputs: bit 0 mains, 1 leak, 2 door, 3 button, 4-11 contacts" Holding 35 U16 / 1 "" None, Some((0, 4095)), since 1;
    "fitted" "已安装的通道，第 n 位为第 n 通道" "channels that are fitted, bit n for channel n" Holding 36 U16 / 1 "" None, Some((0, 16383)), since 1;
    "temperature-1-low" "温度 1 下限" "temperature 1, low limit" Holding 40 I16 / 10 "Cel" Some(0x8000), Some((-400, 1250)), since 1;
    "temperature-1-high" "温度 1 上限" "temperature 1, high limit" Holding 41 I16 / 10 "Cel" Some(0x8000), Some((-400, 1250)), since 1;
    "temperature-1-hysteresis" "温度 1 回差" "temperature 1, hysteresis" Holding 42 U16 / 10 "Cel" None, Some((0, 1250)), since 1;
    "temperature-2-low" "温度 2 下限" "temperature 2, low limit" Holding 43 I16 / 10 "Cel" Some(0x8000), Some((-400, 1250)), since 1;
    "temperature-2-high" "温度 2 上限" "temperature 2, high limit" Holding 44 I16 / 10 "Cel" Some(0x8000), Some((-400, 1250)), since 1;
    "temperature-2-hysteresis" "温度 2 回差" "temperature 2, hysteresis" Holding 45 U16 / 10 "Cel" None, Some((0, 1250)), since 1;
    "humidity-1-low" "相对湿度 1 下限" "relative humidity 1, low limit" Holding 46 U16 / 10 "%" Some(0xffff), Some((0, 1000)), since 1;
    "humidity-1-high" "相对湿度 1 上限" "relative humidity 1, high limit" Holding 47 U16 / 10 "%" Some(0xffff), Some((0, 1000)), since 1;
    "humidity-1-hysteresis" "相对湿度 1 回差" "relative humidity 1, hysteresis" Holding 48 U16 / 10 "%" None, Some((0, 1000)), since 1;
    "humidity-2-low" "相对湿度 2 下限" "relative humidity 2, low limit" Holding 49 U16 / 10 "%" Some(0xffff), Some((0, 1000)), since 1;
    "humidity-2-high" "相对湿度 2 上限" "relative humidity 2, high limit" Holding 50 U16 / 10 "%" Some(0xffff), Some((0, 1000)), since 1;
    "humidity-2-hysteresis" "相对湿度 2 回差" "relative humidity 2, hysteresis" Holding 51 U16 / 10 "%" None, Some((0, 1000)), since 1;
    "pm2.5-low" "PM2.5 下限" "PM2.5, low limit" Holding 52 U16 / 1 "ug/m3" Some(0xffff), Some((0, 5000)), since 1;
    "pm2.5-high" "PM2.5 上限" "PM2.5, high limit" Holding 53 U16 / 1 "ug/m3" Some(0xffff), Some((0, 5000)), since 1;
    "pm2.5-hysteresis" "PM2.5 回差" "PM2.5, hysteresis" Holding 54 U16 / 1 "ug/m3" None, Some((0, 5000)), since 1;
    "pm10-low" "PM10 下限" "PM10, low limit" Holding 55 U16 / 1 "ug/m3" Some(0xffff), Some((0, 5000)), since 1;
    "pm10-high" "PM10 上限" "PM10, high limit" Holding 56 U16 / 1 "ug/m3" Some(0xffff), Some((0, 5000)), since 1;
    "pm10-hysteresis" "PM10 回差" "PM10, hysteresis" Holding 57 U16 / 1 "ug/m3" None, Some((0, 5000)), since 1;
    "supply-12-low" "12 V 供电下限" "12 V supply, low limit" Holding 58 U16 / 100 "V" Some(0xffff), Some((0, 3000)), since 1;
    "supply-12-high" "12 V 供电上限" "12 V supply, high limit" Holding 59 U16 / 100 "V" Some(0xffff), Some((0, 3000)), since 1;
    "supply-12-hysteresis" "12 V 供电回差" "12 V supply, hysteresis" Holding 60 U16 / 100 "V" None, Some((0, 3000)), since 1;
    "supply-48-low" "48 V 供电下限" "48 V supply, low limit" Holding 61 U16 / 100 "V" Some(0xffff), Some((0, 7500)), since 1;
    "supply-48-high" "48 V 供电上限" "48 V supply, high limit" Holding 62 U16 / 100 "V" Some(0xffff), Some((0, 7500)), since 1;
    "supply-48-hysteresis" "48 V 供电回差" "48 V supply, hysteresis" Holding 63 U16 / 100 "V" None, Some((0, 7500)), since 1;
    "current-low" "12 V 电流下限" "12 V current, low limit" Holding 64 U16 / 1000 "A" Some(0xffff), Some((0, 20000)), since 1;
    "current-high" "12 V 电流上限" "12 V current, high limit" Holding 65 U16 / 1000 "A" Some(0xffff), Some((0, 20000)), since 1;
    "current-hysteresis" "12 V 电流回差" "12 V current, hysteresis" Holding 66 U16 / 1000 "A" None, Some((0, 20000)), since 1;
    "fan-1-low" "风扇 1 转速下限" "fan 1, low limit" Holding 67 U16 / 1 "/min" Some(0xffff), Some((0, 30000)), since 1;
    "fan-1-high" "风扇 1 转速上限" "fan 1, high limit" Holding 68 U16 / 1 "/min" Some(0xffff), Some((0, 30000)), since 1;
    "fan-1-hysteresis" "风扇 1 转速回差" "fan 1, hysteresis" Holding 69 U16 / 1 "/min" None, Some((0, 30000)), since 1;
    "fan-2-low" "风扇 2 转速下限" "fan 2, low limit" Holding 70 U16 / 1 "/min" Some(0xffff), Some((0, 30000)), since 1;
    "fan-2-high" "风扇 2 转速上限" "fan 2, high limit" Holding 71 U16 / 1 "/min" Some(0xffff), Some((0, 30000)), since 1;
    "fan-2-hysteresis" "风扇 2 转速回差" "fan 2, hysteresis" Holding 72 U16 / 1 "/min" None, Some((0, 30000)), since 1;
    "fan-3-low" "风扇 3 转速下限" "fan 3, low limit" Holding 73 U16 / 1 "/min" Some(0xffff), Some((0, 30000)), since 1;
    "fan-3-high" "风扇 3 转速上限" "fan 3, high limit" Holding 74 U16 / 1 "/min" Some(0xffff), Some((0, 30000)), since 1;
    "fan-3-hysteresis" "风扇 3 转速回差" "fan 3, hysteresis" Holding 75 U16 / 1 "/min" None, Some((0, 30000)), since 1;
    "fan-4-low" "风扇 4 转速下限" "fan 4, low limit" Holding 76 U16 / 1 "/min" Some(0xffff), Some((0, 30000)), since 1;
    "fan-4-high" "风扇 4 转速上限" "fan 4, high limit" Holding 77 U16 / 1 "/min" Some(0xffff), Some((0, 30000)), since 1;
    "fan-4-hysteresis" "风扇 4 转速回差" "fan 4, hysteresis" Holding 78 U16 / 1 "/min" None, Some((0, 30000)), since 1;
    "airflow-low" "风速下限" "air flow, low limit" Holding 79 U16 / 100 "m/s" Some(0xffff), Some((0, 3000)), since 1;
    "airflow-high" "风速上限" "air flow, high limit" Holding 80 U16 / 100 "m/s" Some(0xffff), Some((0, 3000)), since 1;
    "airflow-hysteresis" "风速回差" "air flow, hysteresis" Holding 81 U16 / 100 "m/s" None, Some((0, 3000)), since 1;
    "temperature-1-offset" "温度 1 校准偏移" "temperature 1, calibration offset" Holding 82 I16 / 10 "Cel" None, Some((-500, 500)), since 1;
    "temperature-2-offset" "温度 2 校准偏移" "temperature 2, calibration offset" Holding 83 I16 / 10 "Cel" None, Some((-500, 500)), since 1;
    "humidity-1-offset" "相对湿度 1 校准偏移" "relative humidity 1, calibration offset" Holding 84 I16 / 10 "%" None, Some((-500, 500)), since 1;
    "humidity-2-offset" "相对湿度 2 校准偏移" "relative humidity 2, calibration offset" Holding 85 I16 / 10 "%" None, Some((-500, 500)), since 1;
    "pm2.5-offset" "PM2.5 校准偏移" "PM2.5, calibration offset" Holding 86 I16 / 1 "ug/m3" None, Some((-500, 500)), since 1;
    "pm10-offset" "PM10 校准偏移" "PM10, calibration offset" Holding 87 I16 / 1 "ug/m3" None, Some((-500, 500)), since 1;
    "supply-12-offset" "12 V 供电校准偏移" "12 V supply, calibration offset" Holding 88 I16 / 100 "V" None, Some((-500, 500)), since 1;
    "supply-48-offset" "48 V 供电校准偏移" "48 V supply, calibration offset" Holding 89 I16 / 100 "V" None, Some((-500, 500)), since 1;
    "current-offset" "12 V 电流校准偏移" "12 V current, calibration offset" Holding 90 I16 / 1000 "A" None, Some((-500, 500)), since 1;
    "fan-1-offset" "风扇 1 转速校准偏移" "fan 1, calibration offset" Holding 91 I16 / 1 "/min" None, Some((-500, 500)), since 1;
    "fan-2-offset" "风扇 2 转速校准偏移" "fan 2, calibration offset" Holding 92 I16 / 1 "/min" None, Some((-500, 500)), since 1;
    "fan-3-offset" "风扇 3 转速校准偏移" "fan 3, calibration offset" Holding 93 I16 / 1 "/min" None, Some((-500, 500)), since 1;
    "fan-4-offset" "风扇 4 转速校准偏移" "fan 4, calibration offset" Holding 94 I16 / 1 "/min" None, Some((-500, 500)), since 1;
    "airflow-offset" "风速校准偏移" "air flow, calibration offset" Holding 95 I16 / 100 "m/s" None, Some((-500, 500)), since 1;
};
