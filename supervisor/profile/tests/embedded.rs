//! The profiles in the tree: all are sound, all are proven.

use roundsman_profile::catalogue::Catalogue;
use roundsman_profile::proof;

#[test]
fn every_embedded_profile_is_proven() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
    assert!(catalogue.list().len() >= 2);
    for item in catalogue.list() {
        let proof = proof::prove(item).unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
        assert!(proof.fixtures > 0, "{} has no fixture", item.profile.id);
        let adds = proof.metrics > 0 && proof.rules > 0;
        assert!(adds || !item.profile.extends.is_empty(), "{} proves nothing", item.profile.id);
    }
}

/// People read titles and names, never `group.name` or a rule's id: of raw counters too, which the API shows.
#[test]
fn everything_has_a_name_in_both_languages() {
    let catalogue = Catalogue::embedded().unwrap();
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let mut nameless = Vec::new();
    for item in catalogue.list() {
        let model = &item.profile.model;
        let metrics = model.metrics.iter().map(|metric| (&metric.name, &metric.title));
        let rules = model.rules.iter().map(|rule| (&rule.id, &rule.name));
        for (id, name) in metrics.chain(rules).chain([(&item.profile.id, &item.profile.name)]) {
            let is_good =
                is_chinese(&name.zh) && !name.en.is_empty() && !is_chinese(&name.en) && name.en != *id;
            if !is_good {
                nameless.push(format!("{}: {id}", item.profile.id));
            }
        }
        for rule in &model.rules {
            if rule.advice.zh.is_empty() || rule.advice.en.is_empty() {
                nameless.push(format!("{}: advice of {}", item.profile.id, rule.id));
            }
        }
    }
    assert!(nameless.is_empty(), "without a title or name in both languages: {nameless:#?}");
}

#[test]
fn the_longest_prefix_wins() {
    let catalogue = Catalogue::embedded().unwrap();
    for (oid, id) in [
        (&[1, 3, 6, 1, 4, 1, 8072, 3, 2, 10][..], "linux-net-snmp"),
        (&[1, 3, 6, 1, 4, 1, 8072, 3, 2, 10, 1], "linux-net-snmp"),
        (&[1, 3, 6, 1, 4, 1, 8072, 3, 2, 1], "snmp-generic"),
        (&[1, 3, 6, 1, 4, 1, 8072, 3, 2, 100], "snmp-generic"),
        (&[1, 3, 6, 1, 4, 1, 2011, 2, 23, 276], "huawei-vrp"),
        (&[1, 3, 6, 1, 4, 1, 25506, 1, 921], "h3c-comware"),
        (&[1, 3, 6, 1, 4, 1, 705, 1], "ups-mib"),
        (&[1, 3, 6, 1, 4, 1, 705, 10], "snmp-generic"),
        (&[1, 3, 6, 1, 4, 1, 11, 2, 3, 9, 1], "printer-mib"),
        (&[1, 3, 6, 1, 4, 1, 11, 2, 3, 7, 11], "snmp-generic"),
        (&[], "snmp-generic"),
    ] {
        assert_eq!(&*catalogue.resolve_auto(oid).unwrap().id, id);
    }
}
