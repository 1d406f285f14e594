using Amazon.Lambda.Core;

namespace Failover.Hosting;

/// <summary>What is left of an invocation.</summary>
public static class InvocationDeadline
{
    /// <summary>What is kept at the end of an invocation for its answer: a runtime that reports its first error takes some time to.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(500);

    /// <summary>A source that is cancelled shortly before Lambda ends the invocation.</summary>
    public static CancellationTokenSource Deadline(this ILambdaContext context, TimeProvider time) => new(context.TimeLeft(), time);

    /// <summary>The time for the work itself, without what is kept for the answer; never negative.</summary>
    public static TimeSpan TimeLeft(this ILambdaContext context) => context.RemainingTime > Margin ? context.RemainingTime - Margin : TimeSpan.Zero;
}
