// void pipelined(double a, const double *from, double *to, long count): y = a x + y as a software pipeline of ten stages (Volume 1,
// section 4.5). Loads in the first, the multiply-add in the fifth, the store in the tenth; one element for each trip.
from    = r33
to      = r34
count   = r35
store   = r14
loops   = r15
stages  = r16
predicates = r17

        .text
        .proc   pipelined
        .global pipelined
pipelined:
        .prologue
        mov     store = to
        .save   ar.lc, loops
        mov     loops = ar.lc
        mov     stages = ar.ec
        add     count = -1, count
        .save   pr, predicates
        mov     predicates = pr ;;
        .body
        mov     ar.lc = count
        mov     ar.ec = 10
        mov     pr.rot = 1 << 16
        clrrrb ;;
1:      (p16)   ldfd    f32 = [from], 8
        (p16)   ldfd    f48 = [to], 8
        (p20)   fma.d   f64 = f8, f36, f52
        (p25)   stfd    [store] = f69, 8
        br.ctop.sptk 1b ;;
        mov     ar.lc = loops
        mov     ar.ec = stages
        mov     pr = predicates, -1
        clrrrb ;;
        br.ret.sptk b0
        .endp   pipelined
