using Failover.ControlPlane;
using Failover.ControlPlane.Registers;

namespace Failover.HealthCheck.Decision;

/// <summary>What the mover wants done next.</summary>
public abstract record Step
{
    private Step()
    {
    }

    /// <summary>Read register, orders and ballots, strongly.</summary>
    public sealed record ReadControl : Step;

    /// <summary>Wait until the provider's request limit has room for a batch: before the evidence is read, which would grow old in the queue.</summary>
    public sealed record AwaitTurn : Step;

    /// <summary>List the name's records at the provider's API.</summary>
    public sealed record ListRecords : Step;

    /// <summary>Write the register, where it has <paramref name="ExpectedRev"/> (null: where there is none).</summary>
    public sealed record WriteRegister(Register Next, long? ExpectedRev, string What) : Step;

    /// <summary>Replace exactly <paramref name="Listed"/> by the plan, in one batch.</summary>
    public sealed record Apply(Plan Plan, Listing Listed) : Step;

    /// <summary>Let the item API at a replica refuse writes until then; null: let it accept them again.</summary>
    /// <param name="Order">When the planned move was ordered: an older order changes no newer one's fence.</param>
    public sealed record Fence(string Replica, DateTimeOffset Order, DateTimeOffset? Until) : Step;

    /// <summary>Nothing more in this tick.</summary>
    public sealed record Finish(Ending Ending, string Why) : Step;
}

/// <summary>How a tick left the name.</summary>
public enum Ending
{
    /// <summary>The world shows what the register says.</summary>
    Settled,

    /// <summary>A plan was applied; the next ticks verify it.</summary>
    Applied,

    /// <summary>Something is under way, or could not be done now; the next tick goes on.</summary>
    Waiting,

    /// <summary>The service is only observed: this is what would have been done.</summary>
    DryRun,

    /// <summary>The name is not as any plan says: nothing is touched until a person has looked.</summary>
    Frozen,

    /// <summary>The provider refuses the plan although the name is as it was listed: it will refuse it again. It is sent once a tick.</summary>
    Rejected,
}

/// <summary>What came of a step.</summary>
public abstract record StepResult
{
    private StepResult()
    {
    }

    /// <summary>Of <see cref="Step.ReadControl"/>.</summary>
    public sealed record Control(ControlView View) : StepResult;

    /// <summary>Of <see cref="Step.AwaitTurn"/>: there is room.</summary>
    public sealed record Turn : StepResult;

    /// <summary>Of <see cref="Step.ListRecords"/>.</summary>
    public sealed record Listed(Listing Listing) : StepResult;

    /// <summary>Of <see cref="Step.WriteRegister"/>.</summary>
    public sealed record Register(ConditionalWrite Write) : StepResult;

    /// <summary>Of <see cref="Step.Apply"/>.</summary>
    /// <param name="Reason">What the provider said, where it refused.</param>
    public sealed record Applied(ApplyOutcome Outcome, string Reason = "") : StepResult;

    /// <summary>Of <see cref="Step.Fence"/>: whether the replica acknowledged it.</summary>
    public sealed record Fenced(bool Stands) : StepResult;

    /// <summary>A reading failed, or the evidence was too old for a write, which was then not sent.</summary>
    public sealed record NotDone(string Why) : StepResult;
}

/// <summary>How a batch ended.</summary>
public enum ApplyOutcome
{
    /// <summary>The provider took it.</summary>
    Applied,

    /// <summary>The provider refused it: the name was not as listed, or the plan is never acceptable. Nothing changed.</summary>
    Refused,

    /// <summary>The provider is busy; nothing changed.</summary>
    Busy,

    /// <summary>No answer: it may have happened, and may still happen.</summary>
    Unknown,
}
