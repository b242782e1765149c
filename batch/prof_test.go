package batch
import ("testing";"time";"fmt";"sort")
func TestProf(t *testing.T){
 sums:=map[string]time.Duration{}
 h:=newHouse(t,func(o *Options){p:=o.Progress;o.Progress=func(e Event){p(e);sums[e.Job]+=e.Elapsed}})
 first := date(t, "2026-10-18")
 for d := first; d < first+35; d++ { h.land(t, baseline, formatDate(d), fmt.Sprint(d), population(t, formatDate(d), 1000, 2)) }
 s:=time.Now()
 if err:=h.runner.Nightly(t.Context());err!=nil{t.Fatal(err)}
 fmt.Println("small", time.Since(s))
 var k []string; for n:=range sums{k=append(k,n)}; sort.Strings(k)
 for _,n:=range k{fmt.Println(n,sums[n]/35)}
 clear(sums)
 h.land(t, baseline, "2026-11-22", "99", population(t, "2026-11-22", 300000, 1000000./300000))
 h.today=day(t,"2026-11-23")
 if err:=h.runner.RunDate(t.Context(),date(t,"2026-11-22"),RunOptions{});err!=nil{t.Fatal(err)}
 fmt.Println("large")
 for _,n:=range k{fmt.Println(n,sums[n])}
}
