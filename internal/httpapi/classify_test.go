package httpapi

import "testing"

func TestClassify_Scenario(t *testing.T) {
	t.Parallel()
	classify := func(body string) request { return as("technician", "POST", "/v1/classify", body) }
	newWorld(t).follow([]step{
		{
			classify(`{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low","scope":{"only_unit_in_area":true}}`),
			200,
			`~{"classification":"critical_defect","default_classification":"non_critical_defect","condition":"pressure_low","basis":"escalated",`,
			"",
		},
		{
			classify(`{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low","override":{"classification":"recommendation","reason":"replaced on the spot"}}`),
			200,
			`~{"classification":"recommendation","default_classification":"non_critical_defect","condition":"pressure_low","basis":"override","reason":"replaced on the spot",`,
			"",
		},
		{
			classify(`{"item_code":"AS1851-2012-HR-07","measurement":"flow_lps","value":0.330,"unit":"L/s"}`), 200,
			`~{"classification":null,"default_classification":null,"within_limits":true,`, "",
		},
		{
			classify(`{"item_code":"AS1851-2012-HR-07","measurement":"flow_lps","value":0.3299999999999999999999,"unit":"L/s"}`),
			200,
			`~"within_limits":false,"condition":"flow_below_minimum"`, "",
		},
		{
			classify(`{"item_code":"AS1851-2012-HR-07","measurement":"flow_lps","value":1,"unit":"gpm"}`), 422,
			`~"field":"unit"`, "",
		},
		{classify(`{"item_code":"AS1851-2012-FE-01","observed_condition":"on_fire"}`), 422, "~pressure_low", ""},
		{classify(`{"item_code":"NONE","observed_condition":"pressure_low"}`), 404, "~FIRE-404", ""},
		{classify(`{"item_code":"AS1851-2012-FE-01"}`), 422, "~observed_condition", ""},
		{classify(`{"item_code":"AS1851-2012-FE-01","observed_condition":"pressure_low","scope":{"only_unit_in_area":"yes"}}`), 422, "~scope.only_unit_in_area", ""},
	})
}
