//! Profiles of a site: beside the embedded ones, in their place, laid over them.

use roundsman_core::model::{Kind, Record};
use roundsman_core::rule::Test;
use roundsman_profile::catalogue::{Catalogue, Origin};
use roundsman_profile::proof;
use std::path::{Path, PathBuf};

fn catalogue(folder: &str) -> Catalogue {
    Catalogue::with_folder(Path::new(folder)).unwrap_or_else(|rejected| panic!("{}", rejected.render(false)))
}

#[test]
fn the_designs_example_is_read_and_proven() {
    let catalogue = catalogue("tests/contract");
    let item = catalogue.item("huawei-vrp").unwrap();
    assert_eq!(item.origin, Origin::File(PathBuf::from("tests/contract/huawei-vrp.toml")));
    let proof = proof::prove(item).unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
    // Its own two metrics and two rules; what it inherits is proven where it stands.
    assert_eq!((proof.metrics, proof.rules), (2, 2));
    let found = catalogue.resolve_auto(&[1, 3, 6, 1, 4, 1, 2011, 2, 23, 95]).unwrap();
    assert_eq!(&*found.id, "huawei-vrp");
    assert_eq!(&*catalogue.resolve_auto(&[1, 3, 6, 1, 4, 1, 2011, 20]).unwrap().id, "snmp-generic");
}

#[test]
fn a_sites_profile_takes_the_place_of_the_embedded_one() {
    let embedded = Catalogue::embedded().unwrap();
    let site = catalogue("tests/overlay");
    assert_eq!(site.list().len(), embedded.list().len());
    let profile = site.get("linux-net-snmp").unwrap();
    assert_eq!(&*profile.name.zh, "本单位服务器");
    assert!(profile.model.metric("memory.used").is_none());
}

#[test]
fn things_are_laid_over_by_name_and_removed_by_name() {
    let site = catalogue("tests/overlay");
    let profile = site.get("linux-net-snmp").unwrap();
    let generic = site.get("snmp-generic").unwrap();
    let model = &profile.model;
    // A level given again replaces the base's; the other keys of the rule stay.
    let rule = model.rules.iter().find(|rule| &*rule.id == "interface-errors").unwrap();
    let limits: Vec<_> = rule.levels.iter().map(|level| level.test.clone()).collect();
    assert_eq!(limits, [Test::Above { limit: 50.0, clear: 10.0 }, Test::Above { limit: 3.0, clear: 3.0 }]);
    assert!(rule.when.is_some() && !rule.advice.zh.is_empty());
    // Removed: a rule, a derived metric, a table. Added: a column.
    assert!(!model.rules.iter().any(|rule| &*rule.id == "no-route"));
    assert!(model.metric("interface.out-error-rate").is_none());
    assert!(model.metric("address.netmask").is_none());
    assert_eq!((model.tables.len(), generic.model.tables.len()), (2, 3));
    assert_eq!(model.metric("interface.mtu").map(|m| model.metrics[m.at()].table.is_some()), Some(true));
    // The base is as it was.
    assert!(generic.model.metric("address.netmask").is_some());
}

#[test]
fn what_follows_by_itself() {
    let catalogue = Catalogue::embedded().unwrap();
    let model = &catalogue.get("snmp-generic").unwrap().model;
    let record = |name: &str| model.metrics[model.metric(name).unwrap().at()].record;
    assert_eq!(record("interface.in-octets"), Record::None, "its rate is kept");
    assert_eq!(record("interface.in-rate"), Record::Every);
    assert_eq!(record("interface.oper-status"), Record::Change);
    assert_eq!(model.uptime, model.metric("system.uptime"));
    assert_eq!(model.tables[0].discontinuity, model.metric("interface.counter-discontinuity"));
    // A derived metric stands behind everything it reads.
    assert!(model.metric("interface.utilisation") > model.metric("interface.in-rate"));
    assert!(model.metrics.iter().all(|metric| metric.kind != Kind::Counter || metric.record == Record::None));
}

#[test]
fn the_merged_profile_reads_as_a_profile_again() {
    let catalogue = Catalogue::embedded().unwrap();
    let merged = catalogue.get("linux-net-snmp").unwrap().merged();
    assert!(merged.contains("interface-errors") && merged.contains("storage-full"));
    assert!(merged.parse::<toml::Table>().is_ok());
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_says_so() {
    let rejected = Catalogue::with_folder(Path::new("tests/nowhere")).unwrap_err();
    assert!(rejected.to_string().contains("tests/nowhere cannot be read"), "{rejected}");
}
