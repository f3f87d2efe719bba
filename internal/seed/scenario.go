package seed

import (
	"time"

	"firemode"
	"firemode/internal/assets"
	"firemode/internal/visits"
)

const day = 24 * time.Hour

// organisations returns the scenario of the demo, in the order of creation. The last visit of the
// last organisation shows that the demo is complete.
func organisations() []organisation {
	return []organisation{
		{
			id: "demo", name: "Demo Fire Services",
			users: []person{
				{"admin", "Alex Morgan", firemode.RoleAdmin},
				{"manager", "Mei Tanaka", firemode.RoleManager},
				{"tech1", "Sam Okafor", firemode.RoleTechnician},
				{"tech2", "Priya Nair", firemode.RoleTechnician},
				{"engineer", "Dan Whitlam", firemode.RoleEngineer},
				{"owner", "Harbour Tower Owners Corporation", firemode.RoleOwner},
			},
			sites: []site{
				harbourTower(),
				smallSite("manager", "mill-lane", "Mill Lane Depot", "12 Mill Lane, Parramatta NSW 2150"),
			},
			visits: []visit{autumnService(), yearlyService(), sixMonthlyVisit("manager", "harbour-tower")},
		},
		{
			id: "other", name: "Other Fire Services",
			users: []person{
				{"admin", "Robin Castellano", firemode.RoleAdmin},
				{"tech1", "Jo Lindqvist", firemode.RoleTechnician},
			},
			sites: []site{
				smallSite("admin", "ridge-road", "Ridge Road Medical Centre", "40 Ridge Road, Chatswood NSW 2067"),
			},
			visits: []visit{sixMonthlyVisit("admin", "ridge-road")},
		},
	}
}

func harbourTower() site {
	return site{
		NewBuilding: assets.NewBuilding{
			ID: "harbour-tower", Name: "Harbour Tower", Address: "1 Harbour Street, Sydney NSW 2000",
			Metadata: map[string]any{
				"state":          "NSW",
				"building_class": "5",
				"levels":         18,
			}, Owners: []firemode.UserID{"owner"},
		},
		by:       "manager",
		register: harbourTowerCSV,
		baselines: []baseline{
			{
				"HY-018",
				firemode.Baseline{
					Measurement: "residual_pressure_kpa",
					Value:       "700",
					Unit:        "kPa",
					Source:      "Hydrant commissioning report 2016-04",
					Date:        "2016-04-18",
				},
			},
			{
				"PU-001",
				firemode.Baseline{
					Measurement: "cut_in_pressure_kpa",
					Value:       "850",
					Unit:        "kPa",
					Source:      "Pump commissioning report 2016-04",
					Date:        "2016-04-20",
				},
			},
			{
				"PU-002",
				firemode.Baseline{
					Measurement: "cut_in_pressure_kpa",
					Value:       "950",
					Unit:        "kPa",
					Source:      "Pump commissioning report 2016-04",
					Date:        "2016-04-20",
				},
			},
			{
				"TK-001",
				firemode.Baseline{
					Measurement: "effective_capacity_kl",
					Value:       "72.5",
					Unit:        "kL",
					Source:      "Approved drawing FS-101 C",
					Date:        "2015-11-02",
				},
			},
			{
				"SP-030",
				firemode.Baseline{
					Measurement: "pressure_difference_pa",
					Value:       "52",
					Unit:        "Pa",
					Source:      "Stair pressurisation commissioning report",
					Date:        "2016-05-03",
				},
			},
		},
	}
}

// smallSite returns a building of two storeys. All of them have the same asset tags, because a tag
// is unique only within its building.
func smallSite(by firemode.UserID, id firemode.BuildingID, name, address string) site {
	return site{
		NewBuilding: assets.NewBuilding{
			ID:       id,
			Name:     name,
			Address:  address,
			Metadata: map[string]any{"state": "NSW", "building_class": "9a", "levels": 2},
		},
		by: by, register: smallSiteCSV,
	}
}

// sixMonthlyVisit returns a pending visit that is open to every technician.
func sixMonthlyVisit(by firemode.UserID, at firemode.BuildingID) visit {
	return visit{
		by:    by,
		draft: visits.Draft{ID: "123", Building: at, Name: "Six-monthly service", Frequency: firemode.SixMonthly},
	}
}

// autumnService returns the previous visit: two technicians did it half a year ago, and it is
// completed.
func autumnService() visit {
	return visit{
		by: "manager", ago: 182 * day, complete: true,
		draft: visits.Draft{
			ID: "six-monthly-1", Building: "harbour-tower", Name: "Previous six-monthly service",
			Frequency:   firemode.SixMonthly,
			Technicians: []firemode.UserID{"tech1", "tech2"},
		},
		rounds: []round{
			{user: "tech1", client: "demo-tablet-1", from: 0, to: 50, findings: lowerFindings()},
			{user: "tech2", client: "demo-tablet-2", from: 50, to: 100, findings: upperFindings()},
		},
	}
}

// lowerFindings returns findings from the systems, the basements and the lower levels.
func lowerFindings() []finding {
	return []finding{
		{"site-GN", fail, []value{{"conditions/AS1851-2012-GN-02/logbook_not_current", true}}},
		{"system-SK", fail, []value{
			{"conditions/AS1851-2012-SK-06/spare_sprinklers_missing", 4},
			{"note", "cabinet in the pump room holds two of six"},
		}},
		{"PU-001", fail, []value{{"conditions/AS1851-2012-PU-06/battery_charge_low", true}}},
		{"PU-002", fail, []value{
			{"conditions/AS1851-2012-PU-02/not_in_automatic", true},
			{"note", "selector was in OFF; building manager told on site"},
		}},
		// The same finding twice: on one of several extinguishers, and on the only one in its area.
		{"FE-026", fail, []value{{"conditions/AS1851-2012-FE-01/pressure_low", true}}},
		{"FE-018", fail, []value{
			{"conditions/AS1851-2012-FE-01/pressure_low", true},
			{"scope/AS1851-2012-FE-01/only_unit_in_area", true},
		}},
		{"FE-052", fail, []value{
			{"conditions/AS1851-2012-FE-07/corrosion_minor", true},
			{"override/AS1851-2012-FE-07/classification", firemode.ClassRecommendation},
			{
				"override/AS1851-2012-FE-07/reason",
				"surface rust at the foot ring, wiped off; look again at the next visit",
			},
		}},
	}
}

// upperFindings returns findings from the upper levels. Two of them follow from readings alone.
func upperFindings() []finding {
	return []finding{
		{"FD-020", fail, []value{{"measurements/gap_mean_mm", reading(4.2)}}},
		{"FD-028", fail, []value{{"conditions/AS1851-2012-FD-05/wedged_open", true}}},
		{"EL-042", fail, []value{{"measurements/discharge_duration_min", reading(64)}}},
		{"SK-016", fail, []value{{"conditions/AS1851-2012-SK-10/zone_label_missing", true}}},
		{"EL-066", notTested, []value{
			{"conditions/ASNZS2293.2-2019-EL-02/not_tested_no_access", true},
			{"reason", "stair A was closed above L13 for painting; rebook with the building manager"},
		}},
	}
}

// yearlyService returns an active visit: two technicians work from the two ends of the building,
// and their readings of one hose reel conflict.
func yearlyService() visit {
	return visit{
		by: "manager", ago: 3 * time.Hour,
		draft: visits.Draft{
			ID: "yearly-1", Building: "harbour-tower", Name: "Yearly service", Frequency: firemode.Yearly,
			Technicians: []firemode.UserID{"tech1", "tech2"},
		},
		rounds: []round{
			{user: "tech1", client: "demo-tablet-1", from: 0, to: 12, findings: []finding{
				{"site-EP", fail, []value{{"conditions/AS1851-2012-EP-02/diagram_past_validity", true}}},
				{"DA-002", fail, []value{{"conditions/AS1851-2012-DA-08/contaminated", true}}},
			}},
			{
				user:   "tech2",
				client: "demo-tablet-2",
				from:   92,
				to:     100,
				extra:  []value{{"HR-001/measurements/flow_lps", reading(0.36)}},
			},
		},
	}
}
