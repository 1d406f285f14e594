namespace Amazon.Lambda.DynamoDBEvents;

/// <summary>Records that a table's stream hands to a function, in order.</summary>
public class DynamoDBEvent
{
    public IList<DynamodbStreamRecord> Records { get; set; } = null!;

    public class DynamodbStreamRecord
    {
        public string EventID { get; set; } = null!;

        /// <summary>INSERT, MODIFY or REMOVE.</summary>
        public string EventName { get; set; } = null!;

        public string EventSource { get; set; } = null!;

        public string EventSourceArn { get; set; } = null!;

        public string EventVersion { get; set; } = null!;

        public string AwsRegion { get; set; } = null!;

        public StreamRecord Dynamodb { get; set; } = null!;

        /// <summary>Of a deletion by time to live: type <c>Service</c>, principal <c>dynamodb.amazonaws.com</c>.</summary>
        public Identity? UserIdentity { get; set; }
    }

    public class StreamRecord
    {
        /// <summary>UTC, rounded down to the second.</summary>
        public DateTime ApproximateCreationDateTime { get; set; }

        public Dictionary<string, AttributeValue> Keys { get; set; } = null!;

        public Dictionary<string, AttributeValue>? NewImage { get; set; }

        public Dictionary<string, AttributeValue>? OldImage { get; set; }

        public string SequenceNumber { get; set; } = null!;

        public long SizeBytes { get; set; }

        public string StreamViewType { get; set; } = null!;
    }

    public class Identity
    {
        public string? PrincipalId { get; set; }

        public string? Type { get; set; }
    }

    /// <summary>Exactly one member is set.</summary>
    public class AttributeValue
    {
        public MemoryStream? B { get; set; }

        public bool? BOOL { get; set; }

        public List<MemoryStream>? BS { get; set; }

        public List<AttributeValue>? L { get; set; }

        public Dictionary<string, AttributeValue>? M { get; set; }

        public string? N { get; set; }

        public List<string>? NS { get; set; }

        public bool? NULL { get; set; }

        public string? S { get; set; }

        public List<string>? SS { get; set; }
    }
}
