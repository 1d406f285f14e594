namespace Amazon.Lambda.SQSEvents;

/// <summary>Messages that a queue hands to a function.</summary>
public class SQSEvent
{
    public List<SQSMessage> Records { get; set; } = null!;

    public class SQSMessage
    {
        public string MessageId { get; set; } = null!;

        public string ReceiptHandle { get; set; } = null!;

        public string Body { get; set; } = null!;

        public Dictionary<string, string> Attributes { get; set; } = null!;

        public string EventSourceArn { get; set; } = null!;

        public string EventSource { get; set; } = null!;

        public string AwsRegion { get; set; } = null!;
    }
}
