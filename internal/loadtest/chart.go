package loadtest

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"
)

// chart is a line chart as inline SVG.
type chart struct {
	title  string
	x, y   axis
	lines  []line
	limit  float64 // a horizontal line, 0 for none
	legend string  // what the limit is
}

// axis maps values to positions between its ends from and to.
type axis struct {
	name     string
	from, to float64
	ticks    []tick
	log      bool
}

type tick struct {
	at   float64
	text string
}

// line is a line of the chart. The style of the page colours it by class.
type line struct {
	name, class string
	points      []xy
}

type xy struct{ x, y float64 }

// Dimensions of a chart, in SVG units.
const (
	chartWidth, chartHeight  = 860.0, 300.0
	left, right, top, bottom = 64.0, 16.0, 12.0, 40.0
)

// place returns the position of a value on the axis, 0 to 1.
func (a axis) place(v float64) float64 {
	from, to := a.from, a.to
	if a.log {
		v, from, to = math.Log10(math.Max(v, a.from)), math.Log10(from), math.Log10(to)
	}
	if to == from {
		return 0
	}
	return math.Min(math.Max((v-from)/(to-from), 0), 1)
}

func (c chart) at(p xy) (x, y float64) {
	return left + c.x.place(p.x)*(chartWidth-left-right), chartHeight - bottom - c.y.place(p.y)*(chartHeight-top-bottom)
}

// svg draws the chart. It escapes all text.
func (c chart) svg() template.HTML {
	var b strings.Builder
	fmt.Fprintf(
		&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, chartWidth, chartHeight, html.EscapeString(c.title),
	)
	c.drawAxes(&b)
	if c.limit > 0 {
		x0, y := c.at(xy{c.x.from, c.limit})
		x1, _ := c.at(xy{c.x.to, c.limit})
		fmt.Fprintf(&b, `<line class="limit" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x0, y, x1, y)
		fmt.Fprintf(
			&b, `<text class="limit" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, x1, y-4,
			html.EscapeString(c.legend),
		)
	}
	for _, l := range c.lines {
		fmt.Fprintf(&b, `<polyline class="%s" points="`, l.class)
		for _, p := range l.points {
			x, y := c.at(p)
			fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
		}
		fmt.Fprintf(&b, `"><title>%s</title></polyline>`, html.EscapeString(l.name))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // text is escaped above
}

func (c chart) drawAxes(b *strings.Builder) {
	for _, t := range c.y.ticks {
		x, y := c.at(xy{c.x.from, t.at})
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x, y, chartWidth-right, y)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, x-6, y+4, html.EscapeString(t.text))
	}
	for _, t := range c.x.ticks {
		x, y := c.at(xy{t.at, c.y.from})
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x, y, x, y+4)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x, y+17, html.EscapeString(t.text))
	}
	fmt.Fprintf(
		b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, chartWidth/2, chartHeight-4,
		html.EscapeString(c.x.name),
	)
}

// even returns a linear axis from 0 with about five round steps.
func even(name string, most float64) axis {
	step := math.Pow(10, math.Floor(math.Log10(math.Max(most, 1)/5)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if most/(step*factor) <= 6 {
			step *= factor
			break
		}
	}
	step = math.Max(step, 1)
	a := axis{name: name, to: math.Max(math.Ceil(most/step), 1) * step}
	for v := 0.0; v <= a.to; v += step {
		a.ticks = append(a.ticks, tick{v, fmt.Sprintf("%g", v)})
	}
	return a
}

// span returns an axis like even that ends at most.
func span(name string, most float64) axis {
	a := even(name, most)
	a.to = math.Max(most, 1)
	a.ticks = slices.DeleteFunc(a.ticks, func(t tick) bool { return t.at > a.to })
	return a
}

// decades returns a logarithmic axis of seconds that includes least and most.
func decades(least, most float64) axis {
	low, high := math.Floor(math.Log10(math.Max(least, 1e-5))), math.Ceil(math.Log10(math.Max(most, 1e-4)))
	a := axis{from: math.Pow(10, low), to: math.Pow(10, math.Max(high, low+1)), log: true}
	for e := low; e <= high; e++ {
		v := math.Pow(10, e)
		text := fmt.Sprintf("%g ms", v*1000)
		if v >= 1 {
			text = fmt.Sprintf("%g s", v)
		}
		a.ticks = append(a.ticks, tick{v, text})
	}
	return a
}
