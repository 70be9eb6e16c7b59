//! What a virtual device can be: the maker's objects it has beside those that all have, and how it calls its ports.

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Any device that speaks SNMP: system, interfaces, IP, one temperature. Its sysObjectID is no maker's.
    Generic,
    /// A Huawei router with VRP.
    Vrp,
    /// An H3C switch with Comware.
    Comware,
    /// A Linux server with net-snmp's agent.
    Linux,
    /// A UPS whose card speaks UPS-MIB.
    Ups,
    /// A printer with Printer-MIB. Its sysObjectID is no maker's.
    Printer,
}

impl Model {
    /// All of them.
    pub const ALL: [Model; 6] =
        [Model::Generic, Model::Vrp, Model::Comware, Model::Linux, Model::Ups, Model::Printer];

    /// The model that answers what a profile asks; [`Model::Generic`] for profiles that are not known here.
    pub fn of_profile(profile: &str) -> Model {
        let known = Model::ALL.into_iter().find(|model| model.profile() == Some(profile));
        known.unwrap_or(Model::Generic)
    }

    /// The model of a device that is to say itself what it is (`profile = "auto"`): by the first part of its id.
    pub fn of_id(id: &str) -> Model {
        match id.split('-').next() {
            Some("rt") => Model::Vrp,
            Some("sw") => Model::Comware,
            Some("srv") => Model::Linux,
            Some("ups") => Model::Ups,
            Some("prn") => Model::Printer,
            _ => Model::Generic,
        }
    }

    /// The profile for it; none for what only the generic one fits.
    pub fn profile(self) -> Option<&'static str> {
        match self {
            Model::Generic => None,
            Model::Vrp => Some("huawei-vrp"),
            Model::Comware => Some("h3c-comware"),
            Model::Linux => Some("linux-net-snmp"),
            Model::Ups => Some("ups-mib"),
            Model::Printer => Some("printer-mib"),
        }
    }

    /// sysObjectID, as real devices of the kind answer it; the others' lies below the number that RFC 5612 sets aside
    /// for examples.
    pub(crate) fn object_id(self) -> &'static [u32] {
        match self {
            Model::Generic => &[1, 3, 6, 1, 4, 1, 32473, 1, 1],
            Model::Vrp => &[1, 3, 6, 1, 4, 1, 2011, 2, 23, 276],
            Model::Comware => &[1, 3, 6, 1, 4, 1, 25506, 1, 921],
            Model::Linux => &[1, 3, 6, 1, 4, 1, 8072, 3, 2, 10],
            Model::Ups => &[1, 3, 6, 1, 4, 1, 705, 1, 2],
            Model::Printer => &[1, 3, 6, 1, 4, 1, 32473, 1, 5],
        }
    }

    /// What sysDescr begins with.
    pub fn description(self) -> &'static str {
        match self {
            Model::Generic => "Roundsman virtual device",
            Model::Vrp => "Huawei Versatile Routing Platform Software, VRP (R) software, Version 5.160",
            Model::Comware => "H3C Comware Platform Software, Software Version 7.1.075",
            Model::Linux => "Linux 6.12.0 x86_64",
            Model::Ups => "UPS 20 kVA, three phases",
            Model::Printer => "Laser printer, A3, colour",
        }
    }

    /// Names of the ports that the site file does not name, one after the other.
    pub(crate) fn port_names(self) -> impl Iterator<Item = String> {
        let (prefix, first) = match self {
            Model::Generic | Model::Vrp => ("GigabitEthernet0/0/", 0),
            Model::Comware => ("GigabitEthernet1/0/", 1),
            Model::Linux | Model::Ups | Model::Printer => ("eth", 0),
        };
        (first..).map(move |number| format!("{prefix}{number}"))
    }
}
